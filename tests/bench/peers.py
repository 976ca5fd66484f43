"""The programs that start others, and how each is told to run a list of equal commands."""
import os
import shutil
import subprocess

from measure import PATH, Entrant

SLOTS = 2


def is_gnu_parallel(command):
    if not shutil.which(command, path=PATH):
        return False
    told = subprocess.run([command, "--version"], stdin=subprocess.DEVNULL, env={"PATH": PATH},
                          capture_output=True, check=False)
    return told.stdout.startswith(b"GNU parallel")


def find_moreutils():
    """Where GNU parallel is not installed, moreutils' parallel has the plain name."""
    for command in "parallel.moreutils", "parallel":
        if shutil.which(command, path=PATH) and not is_gnu_parallel(command):
            return command
    return None


MOREUTILS = find_moreutils()
HAS_GNU_PARALLEL = is_gnu_parallel("parallel")


def missing(program):
    """Why a peer can't take part; None where it can."""
    name = "GNU parallel" if program.startswith("GNU parallel") else program.split()[0]
    has = {"GNU parallel": HAS_GNU_PARALLEL, "moreutils": MOREUTILS}
    is_here = has[name] if name in has else shutil.which(name, path=PATH)
    return None if is_here else f"{name} is not installed"


class Commands:
    """The same command so many times, for each program in the form that suits it best."""

    def __init__(self, setting, name, line, run=(), value=None, bare=None, said=0):
        self.setting = setting
        self.name = name  # of the files that are made for it
        self.line = line  # as a shell has it
        self.run = list(run)  # a program to start for each value; none: a shell for each line
        self.value = value or line
        self.bare = bare or [*run, value]  # what the limit starts
        self.said = said  # bytes that one of them writes

    def entrant(self, program, count):
        """That program to do it `count` times."""
        name = program.split()[0]
        prepare = {"limit": self.limit, "leat": self.leat, "xargs": self.xargs, "xe": self.xe,
                   "moreutils": self.moreutils, "GNU": self.gnu_parallel, "ninja": self.ninja,
                   "make": self.make}[name]
        why = None if name in ("limit", "leat") else missing(program)
        options = program.split()[1:]
        command, stdin = ([], None) if why else prepare(count, options)
        return Entrant(program, command, count, stdin, self.said * count, missing=why,
                       before=forget_ninja(self.setting) if name == "ninja" else None)

    def values(self, count):
        return self.write("values", self.value, count)

    def write(self, kind, line, count):
        return self.setting.write(f"{kind} {self.name} {count}", line, count)

    def direct(self):
        return self.run or ["sh", "-c"]

    def limit(self, count, _):
        return [self.setting.limit, str(SLOTS), str(count), *self.bare], "/dev/null"

    def leat(self, count, options):
        """Each record is a whole command."""
        if not any(option.startswith("-j") for option in options):
            options = [f"-j{SLOTS}", *options]
        return [self.setting.leat, *options], self.write("lines", self.line, count)

    def xargs(self, count, _):
        return ["xargs", "-d", "\n", f"-P{SLOTS}", "-n1", *self.direct()], self.values(count)

    def xe(self, count, _):
        return ["xe", f"-j{SLOTS}", *self.direct()], self.values(count)

    def moreutils(self, count, _):
        return [MOREUTILS, f"-j{SLOTS}", *self.run, "--", *[self.value] * count], "/dev/null"

    def gnu_parallel(self, count, _):
        return ["parallel", "--will-cite", f"-j{SLOTS}", *self.run], self.values(count)

    def ninja(self, count, _):
        """Independent targets that are never made, so that all are to be done each time."""
        path = self.setting.path(f"build.ninja {self.name}")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"rule all\n  command = {self.line}\n")
            file.writelines(f"build {number}: all\n" for number in range(count))
        return ["ninja", "--quiet", f"-j{SLOTS}", "-f", path], "/dev/null"

    def make(self, count, _):
        """With -O, as outputs are to be kept apart where there are any."""
        path = self.setting.path(f"Makefile {self.name}")
        names = " ".join(map(str, range(count)))
        with open(path, "w", encoding="ascii") as file:
            file.write(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@{self.line}\n")
        grouped = ["-O"] if self.said else []
        return ["make", "-s", "-r", f"-j{SLOTS}", *grouped, "-f", path], "/dev/null"


def forget_ninja(setting):
    """What it keeps of a build would be read at the next."""
    def forget():
        for name in ".ninja_log", ".ninja_deps":
            if os.path.exists(setting.path(name)):
                os.remove(setting.path(name))
    return forget
