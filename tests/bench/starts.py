"""How many programs are started in a second."""
import subprocess

from measure import Work, contests
from peers import Commands

PEERS = ["xargs", "xe", "moreutils", "GNU parallel", "ninja", "make"]


def measure(setting):
    return contests(setting, [
        probe(setting), probe_says(setting), shell_line(setting), needs_shell(setting),
        slots(setting), *warm(setting)])


def entrants(commands, programs, count, slow=()):
    """Each to do `count`, and those that `slow` names so many as it says: what takes
    milliseconds for a start would take minutes."""
    slow = dict(slow)
    return [commands.entrant(program, slow.get(program, count)) for program in programs]


def probe(setting):
    """A program that only exits: what the executor itself costs."""
    commands = Commands(setting, "probe", f"{setting.probe} x", [setting.probe], "x")
    return Work("probe", "starts/s", entrants(
        commands, ["limit", "leat -u", "leat", *PEERS], setting.pick(20000, 2000),
        {"GNU parallel": setting.pick(1000, 100), "ninja": setting.pick(5000, 300)}))


def probe_says(setting):
    """It writes a line of 12 bytes: what it costs to collect output."""
    commands = Commands(setting, "says", f"{setting.probe} say", [setting.probe], "say", said=12)
    return Work("probe says", "starts/s", entrants(
        commands, ["limit", "leat -u", "leat", *PEERS], setting.pick(20000, 1000),
        {"GNU parallel": setting.pick(1000, 50), "ninja": setting.pick(5000, 150)}))


def shell_line(setting):
    """A plain command, handed over as a line for a shell: what a user gets."""
    commands = Commands(setting, "true", "/bin/true x", bare=["/bin/true", "x"])
    return Work("shell line", "starts/s", entrants(
        commands, ["limit", "leat -u", "leat", *PEERS], setting.pick(5000, 300),
        {"GNU parallel": setting.pick(500, 50)}))


def needs_shell(setting):
    """A line that needs the shell, so that leat can't leave it out."""
    line = "test a = a && :"
    commands = Commands(setting, "test", line, bare=["/bin/sh", "-c", line])
    return Work("needs a shell", "starts/s", entrants(
        commands, ["limit", "leat -u", "leat", "xargs"], setting.pick(5000, 300)),
        times=setting.pick(3, 2))


def slots(setting):
    """Many more slots than processors."""
    commands = Commands(setting, "slots", f"{setting.probe} x", [setting.probe], "x")
    programs = ["leat -u -j2", "leat -u -j64", "leat -j2", "leat -j64"]
    return Work("many slots", "starts/s",
                entrants(commands, programs, setting.pick(20000, 2000)),
                limit="leat -u -j2", times=setting.pick(3, 2))


def warm(setting):
    """Shells that are kept: lines of builtins, and of a pipeline."""
    told = subprocess.run([setting.leat, "--help"], capture_output=True, check=True).stdout
    for name, line, said in (("warm builtin", "echo foo", 4),
                             ("warm pipeline", "echo foo | wc -c", 2)):
        commands = Commands(setting, name, line, bare=["/bin/sh", "-c", line], said=said)
        programs = ["limit", "leat --warm -u", "leat --warm", "leat", "xargs"]
        taking_part = entrants(commands, programs, setting.pick(5000, 300))
        for entrant in taking_part:
            if "--warm" in entrant.program and b"--warm" not in told:
                entrant.missing = "no --warm"
        yield Work(name, "starts/s", taking_part)
