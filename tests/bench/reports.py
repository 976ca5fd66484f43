"""What the journal and the reports cost, and how fast done tasks are skipped."""
import glob
import os
import random

from measure import Entrant, Trial, Work, contests
from peers import SLOTS

JOURNAL = ["--journal", "run.db"]


def measure(setting):
    return contests(setting, works(setting))


def works(setting):
    yield journal(setting, "journal: probe", setting.probe, setting.pick(20000, 2000))
    yield journal(setting, "journal: true", "/bin/true", setting.pick(5000, 300))
    yield together(setting)
    yield resume(setting)


def forget_run(setting):
    def forget():
        for name in glob.glob(setting.path("run.*")):
            os.remove(name)
    return forget


def leat(setting, options, path, count):
    """The program's name is leat and the options that are compared."""
    return Entrant(" ".join(["leat", *options]).replace(" run.db", "").replace(" run.txt", ""),
                   [setting.leat, f"-j{SLOTS}", *options, "-a", path], count,
                   before=forget_run(setting))


def journal(setting, name, line, count):
    path = setting.write(name, line, count)
    ways = [JOURNAL + ["--sync", way] for way in ("off", "group", "full")]
    return Work(name, "starts/s",
                [leat(setting, options, path, count) for options in ([], *ways)], limit="leat")


def together(setting):
    """All that most runs could want."""
    count = setting.pick(20000, 2000)
    path = setting.write("reports", setting.probe, count)
    all_of_them = [*JOURNAL, "--joblog", "run.txt", "--events", "run.txt2"]
    entrants = [leat(setting, options, path, count) for options in ([], all_of_them)]
    entrants[1].program = "leat with all"
    return Work("reports", "starts/s", entrants, limit="leat", times=2)


def resume(setting):
    """Of a journal that is kept, in its order and in another."""
    count = setting.pick(1_000_000, 20_000)
    numbers = [f"{number}\n" for number in range(1, count + 1)]
    write(setting.path("in order"), numbers)
    random.Random(1).shuffle(numbers)
    write(setting.path("shuffled"), numbers)
    kept = ["--journal", "done.db", setting.probe]
    fill = Entrant("leat", [setting.leat, "-q", f"-j{SLOTS}", "--sync", "off", *kept], count,
                   setting.path("in order"))
    complaint = Trial(setting, fill).complaint(setting)
    if complaint:
        setting.complain(f"resume: {complaint}", True)
    skip = [setting.leat, "--resume", *kept]
    return Work("resume", "skipped/s",
                [Entrant(f"leat, {order}", skip, count, setting.path(order))
                 for order in ("in order", "shuffled")], limit="leat, in order")


def write(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)
