"""What is made of very many records: commands that only exit, with as many as fit, or a
hundred; and what a template costs."""
from measure import Entrant, Work, contests
from peers import SLOTS, missing


def measure(setting):
    count = setting.pick(10_000_000, 1_000_000)
    fewer = setting.pick(count, 100_000)
    path = numbers(setting, count)
    return contests(setting, [
        commands(setting, "as many as fit", count, path, [], ["-N", "0"], ["-X"]),
        commands(setting, "a hundred each", fewer, numbers(setting, fewer), ["-n", "100"],
                 ["-N", "100"], ["-n", "100"]),
        template(setting, count, path)])


def numbers(setting, count):
    """A file of short records."""
    path = setting.path(f"{count} records")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{number}\n" for number in range(1, count + 1))
    return path


def limit(count, path):
    """To read them."""
    return Entrant("wc -l", ["wc", "-l"], count, path, output=None)


def commands(setting, name, count, path, xargs, xe, leat):
    leat = [setting.leat, f"-j{SLOTS}", "-u", *leat, setting.probe]
    xargs = ["xargs", "-d", "\n", f"-P{SLOTS}", *xargs, setting.probe]
    xe = ["xe", f"-j{SLOTS}", *xe, setting.probe]
    return Work(name, "records/s", [
        limit(count, path), Entrant("leat -u", leat, count, path),
        Entrant("xargs", xargs, count, path, missing=missing("xargs")),
        Entrant("xe", xe, count, path, missing=missing("xe"))], limit="wc -l")


def template(setting, count, path):
    """A record is read, replaced in "x{.}", and printed."""
    command = [setting.leat, "--dry-run", f"-j{SLOTS}", "echo", "x{.}"]
    return Work("template", "records/s", [
        limit(count, path),
        Entrant("leat --dry-run", command, count, path, output=None)], limit="wc -l")
