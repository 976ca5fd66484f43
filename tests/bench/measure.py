"""How a program is run and what it took: works, their entrants, rounds and figures."""
import collections
import os
import signal
import statistics
import time

PATH = "/usr/local/bin:/usr/bin:/bin"
TIME = "/usr/bin/time"  # GNU time: tells the peak of a program that it started small


class Setting:
    """What all works share: the programs, the directory, and how much is to be done."""

    def __init__(self, build, directory, short, rounds):
        self.leat = f"{build}/leat"
        self.limit = f"{build}/tests/bench/limit"
        self.probe = f"{build}/tests/bench/probe"
        self.directory = directory
        self.short = short
        self.rounds = rounds
        self.figures = {}  # of (work, program)
        self.complaints = collections.Counter()
        self.failed = False
        # It is copied at every start, so all get the same small one. HOME is where GNU
        # parallel keeps files. Without PWD a shell would set it, so that leat would have
        # to start one for every command.
        self.environment = {"PATH": PATH, "HOME": directory,
                            "PWD": directory, "TMPDIR": os.environ.get("TMPDIR", "/tmp")}

    def pick(self, full, short):
        return short if self.short else full

    def path(self, name):
        return f"{self.directory}/{name}"

    def write(self, name, line, count):
        """A file of so many equal lines; its path."""
        with open(self.path(name), "w", encoding="ascii") as file:
            file.writelines([line + "\n"] * count)
        return self.path(name)

    def figure(self, work, program, unit, amount=None):
        return self.figures.setdefault((work, program), Figure(unit, amount))

    def complain(self, words, is_trouble):
        self.complaints[words] += 1
        self.failed = self.failed or is_trouble


class Figure:
    """What one program reached in one work: a value a round, None where it has none."""

    def __init__(self, unit, amount=None):
        self.unit = unit
        self.amount = amount
        self.values = []
        self.peak = None  # KiB
        self.missing = "no round counts"  # why there is no value

    def is_rate(self):
        return self.unit.endswith("/s")

    def counted(self):
        return [value for value in self.values if value is not None]

    def value(self):
        """Of a rate the best round; of a time or a size the median; None without any."""
        counted = self.counted()
        if not counted:
            return None
        return max(counted) if self.is_rate() else statistics.median(counted)


class Entrant:
    """A program that takes part in a work, and what must come out of it."""

    def __init__(self, program, command, amount, stdin="/dev/null", output=0, before=None,
                 missing=None):
        self.program = program
        self.command = command
        self.amount = amount  # of work, in the figure's unit
        self.stdin = stdin
        self.output = output  # bytes; None: they are not counted
        self.before = before  # called each time, before the clock starts
        self.missing = missing  # why it does not take part

    def is_ours(self):
        return self.program.startswith(("leat", "limit"))


class Work:
    """Entrants that do the same."""

    def __init__(self, name, unit, entrants, limit="limit", times=1, piped=False, peak=False):
        self.name = name
        self.unit = unit
        self.entrants = entrants
        self.limit = limit  # the program that is it
        self.times = times  # so many rounds instead of one: for ratios that are close
        self.piped = piped  # output is read from a pipe instead of being put into a file
        self.peak = peak  # memory is measured, too

    def measure(self, setting):
        """Round by round, so that a slow moment of the machine hits all alike, and every
        other round backwards, so that nobody always comes after the same."""
        for entrant in self.entrants:
            figure = setting.figure(self.name, entrant.program, self.unit, entrant.amount)
            figure.missing = entrant.missing or figure.missing
        present = [entrant for entrant in self.entrants if not entrant.missing]
        for _ in range(setting.rounds * self.times):
            for entrant in present:
                self.measure_once(setting, entrant)
            present.reverse()

    def measure_once(self, setting, entrant):
        if entrant.before:
            entrant.before()
        figure = setting.figures[self.name, entrant.program]
        trial = Trial(setting, entrant, self.piped, self.peak)
        complaint = trial.complaint(setting)
        if complaint:
            setting.complain(f"{self.name}: {entrant.program}: {complaint}",
                             trial.status != 0 or entrant.is_ours())
        figure.values.append(None if complaint else entrant.amount / trial.seconds)
        if trial.peak:
            figure.peak = max(trial.peak, figure.peak or 0)


def contests(setting, works):
    """Measure each; its name and limit when its figures are there."""
    for work in works:
        work.measure(setting)
        yield work.name, work.limit


class Trial:
    """One run of an entrant: wall-clock time, exit status, size of the output, peak."""

    def __init__(self, setting, entrant, piped=False, peak=False):
        self.expected = entrant.output
        self.size = None
        self.peak = None
        peak = peak and os.path.exists(TIME)
        command = entrant.command
        if peak:
            command = [TIME, "-q", "-f", "%M", "-o", setting.path("peak"), *command]
        run = self.run_piped if piped else self.run_to_file
        run(setting, command, entrant.stdin)
        if peak:
            with open(setting.path("peak"), encoding="ascii") as file:
                self.peak = int(file.read())

    def run_to_file(self, setting, command, stdin):
        out = "/dev/null" if self.expected is None else setting.path("out")
        begin = time.perf_counter()
        self.status = wait(start(setting, command, stdin, out))
        self.seconds = time.perf_counter() - begin
        self.size = os.path.getsize(out)

    def run_piped(self, setting, command, stdin):
        """dd reads, and tells how much came."""
        read, write = os.pipe()
        begin = time.perf_counter()
        reader = start(setting, ["dd", "bs=256K", "of=/dev/null"], read, "/dev/null", "counted")
        writer = start(setting, command, stdin, write)
        os.close(read)
        os.close(write)
        self.status = wait(writer)
        wait(reader)
        self.seconds = time.perf_counter() - begin
        with open(setting.path("counted"), encoding="ascii") as file:
            self.size = int(file.read().split("\n")[2].split()[0])

    def complaint(self, setting):
        """Why this run does not count: a program that left something undone gets no rate
        for it. None where it does."""
        if self.status != 0:
            with open(setting.path("err"), errors="replace", encoding="utf-8") as file:
                return f"status {self.status}: {file.read(200).strip()}"
        if self.expected is not None and self.size != self.expected:
            return (f"{self.size} bytes of output instead of {self.expected}, exit status 0: a"
                    " round not counted")
        return None


def start(setting, command, stdin, stdout, stderr="err"):
    """Start a program, with a path or a descriptor to read from and one to write to; its
    number. By posix_spawn(3): subprocess forks, which takes time that is not the program's."""
    def action(number, target, flags):
        if isinstance(target, int):
            return (os.POSIX_SPAWN_DUP2, target, number)
        return (os.POSIX_SPAWN_OPEN, number, target, flags, 0o600)

    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    # Python has these ignored, and that would be inherited.
    return os.posix_spawnp(command[0], command, setting.environment, file_actions=[
        action(0, stdin, os.O_RDONLY), action(1, stdout, writing),
        action(2, setting.path(stderr), writing)],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])


def wait(pid):
    """Its exit status, or the signal's number below 0."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def ratio(one, other, paired=False):
    """One figure divided by the other; paired: the median of the rounds' ratios. None where
    one has no value."""
    if one is None or other is None or one.value() is None or other.value() is None:
        return None
    if not paired:
        return one.value() / other.value()
    pairs = [a / b for a, b in zip(one.values, other.values) if a and b]
    return statistics.median(pairs) if pairs else None
