"""Very many tasks one after the other, and very many at once."""
import glob
import os
import signal
import time

from measure import Entrant, Trial, start, wait
from peers import SLOTS

LONG = 10  # seconds
PATIENCE = 30  # seconds


def measure(setting):
    rounds = setting.pick(setting.rounds, 1)
    for _ in range(rounds):
        measure_scale(setting)
    yield "very many", "leat, few"
    yield "very many: peak", "leat, few"
    for _ in range(rounds):
        if measure_sleepers(setting) > LONG:
            break  # more rounds would tell no more
    for what in "started", "ended", "memory":
        yield f"asleep: {what}", None


class Side:
    """Runs of the same number of tasks: their rate, all in all, and highest peak."""

    def __init__(self, setting, count):
        self.setting = setting
        self.entrant = Entrant("leat", [setting.leat, f"-j{SLOTS}"], count,
                               setting.write(f"{count} tasks", setting.probe, count))
        self.tasks = 0
        self.seconds = 0
        self.peak = 0

    def run(self):
        trial = Trial(self.setting, self.entrant, peak=True)
        complaint = trial.complaint(self.setting)
        if complaint:
            self.setting.complain(f"very many: {self.entrant.amount} tasks: {complaint}", True)
            return
        self.tasks += self.entrant.amount
        self.seconds += trial.seconds
        self.peak = max(self.peak, trial.peak or 0)

    def keep(self, program):
        rate = self.setting.figure("very many", program, "starts/s", self.entrant.amount)
        rate.values.append(self.tasks / self.seconds if self.tasks else None)
        peak = self.setting.figure("very many: peak", program, "KiB", self.entrant.amount)
        peak.missing = "time is not installed"
        peak.values.append(self.peak or None)


def measure_scale(setting):
    """The few are run before and after the many, as often as takes a tenth of their time,
    so that both see the same machine."""
    few = Side(setting, setting.pick(10_000, 5000))
    many = Side(setting, setting.pick(1_000_000, 50_000))
    times = setting.pick(5, 2)
    for side in [few] * times + [many] + [few] * times:
        side.run()
    few.keep("leat, few")
    many.keep("leat, many")


def measure_sleepers(setting):
    """All at once: how long until they all run, what leat needs for it, and how long from
    SIGTERM until leat has ended, which it does when all are reaped. Returns the latter."""
    count = setting.pick(2000, 250)
    figures = {what: setting.figure(f"asleep: {what}", "leat", unit, count)
               for what, unit in (("started", "s"), ("ended", "s"), ("memory", "KiB"))}
    sleepers = Sleepers(setting, count)
    try:
        started = sleepers.await_start()
        memory = peak_of(sleepers.pid) if started else None
    finally:
        ended = sleepers.end()
    for what, value in ("started", started), ("memory", memory), ("ended", started and ended):
        figures[what].values.append(value)
        figures[what].missing = f"not all could be started in {PATIENCE} s"
    if sleepers.status != -signal.SIGTERM:
        setting.complain(f"asleep: status {sleepers.status}", True)
    if sleepers.count() > 0:
        setting.complain("asleep: leat has ended, and some tasks have not", True)
    return ended


class Sleepers:
    """A leat with nothing but tasks that sleep, each for a time that tells them from other
    processes. That all of them run is seen in /proc, but to read all of that takes time
    which leat then does not have. So it waits for the kernel's count of processes, the
    links of /proc, to have nearly grown by their number."""

    def __init__(self, setting, count):
        self.wanted = count
        self.line = f"sleep 1000.{os.getpid()}"
        path = setting.write("sleepers", self.line, count)
        self.nearly = os.stat("/proc").st_nlink + 0.97 * count
        self.begin = time.perf_counter()
        self.pid = start(setting, [setting.leat, f"-j{count}"], path, "/dev/null")

    def await_start(self):
        """Seconds; None where there is no room for so many."""
        while os.stat("/proc").st_nlink < self.nearly or self.count() < self.wanted:
            if time.perf_counter() - self.begin > PATIENCE:
                return None
            time.sleep(0.002)
        return time.perf_counter() - self.begin

    def count(self):
        """How many of them run."""
        words = self.line.replace(" ", "\0").encode() + b"\0"
        count = 0
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    count += file.read() == words
            except OSError:
                pass  # it has ended
        return count

    def end(self):
        """Seconds from SIGTERM to leat's end."""
        begin = time.perf_counter()
        os.kill(self.pid, signal.SIGTERM)
        self.status = wait(self.pid)
        return time.perf_counter() - begin


def peak_of(pid):
    """Its largest resident size so far, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
