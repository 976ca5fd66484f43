"""How long leat takes to start and end, and a record to become output."""
import os
import time

from measure import start, wait
from peers import SLOTS, missing

PAUSE = 0.002  # seconds: what comes after an answer is not to be in the way of the next


def measure(setting):
    samples = setting.pick(300, 150)
    measure_start_up(setting, samples)
    yield "empty input", "limit"
    measure_answers(setting, samples)
    yield "answer", "sh -c"


def measure_start_up(setting, samples):
    """Of empty input, xargs makes one run of the command; with -r it makes none."""
    commands = {"leat": [setting.leat], "xargs": ["xargs", "true"],
                "xargs -r": ["xargs", "-r", "true"], "limit": [setting.probe]}
    figures = {program: setting.figure("empty input", program, "ms") for program in commands}
    why = missing("xargs")
    for program in "xargs", "xargs -r":
        figures[program].missing = why
        if why:
            del commands[program]
    for _ in range(samples):
        for program, command in commands.items():
            begin = time.perf_counter()
            status = wait(start(setting, command, "/dev/null", "/dev/null"))
            passed = (time.perf_counter() - begin) * 1e3
            figures[program].values.append(None if status else passed)
            if status != 0:
                setting.complain(f"empty input: {program}: status {status}", True)


def measure_answers(setting, samples):
    """From a record to its output, with an idle pool, next to the shell that it needs."""
    figures = {program: setting.figure("answer", program, "us")
               for program in ("sh -c", "leat", "leat -u")}
    idle = {"leat": Idle(setting, []), "leat -u": Idle(setting, ["-u"])}
    for _ in range(samples):
        figures["sh -c"].values.append(answer_of_shell(setting) * 1e6)
        time.sleep(PAUSE)
        for program, pool in idle.items():
            figures[program].values.append(pool.answer() * 1e6)
            time.sleep(PAUSE)
    for program, pool in idle.items():
        status = pool.end()
        if status != 0:
            setting.complain(f"answer: {program}: status {status}", True)


def answer_of_shell(setting):
    """Up to its output: its end is not waited for."""
    read, write = os.pipe()
    begin = time.perf_counter()
    pid = start(setting, ["/bin/sh", "-c", "echo x"], "/dev/null", write)
    os.read(read, 2)
    seconds = time.perf_counter() - begin
    wait(pid)
    os.close(read)
    os.close(write)
    return seconds


class Idle:
    """A leat that waits for records."""

    def __init__(self, setting, options):
        stdin, self.records = os.pipe()
        self.output, stdout = os.pipe()
        self.pid = start(setting, [setting.leat, f"-j{SLOTS}", *options], stdin, stdout)
        os.close(stdin)
        os.close(stdout)

    def answer(self):
        begin = time.perf_counter()
        os.write(self.records, b"echo x\n")
        os.read(self.output, 2)
        return time.perf_counter() - begin

    def end(self):
        os.close(self.records)
        os.close(self.output)
        return wait(self.pid)
