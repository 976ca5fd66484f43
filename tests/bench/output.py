"""How much output is passed on: 4 tasks at 2 slots, into a pipe that is read."""
from measure import Entrant, Work, contests
from peers import SLOTS, missing

RAW = ["xargs", "-d", "\n", f"-P{SLOTS}", "-n1", "sh", "-c"]  # mixes what the tasks write
TASKS = 4
# Each way as leat and as GNU parallel has it.
WAYS = [("", ""), ("-k", "-k"), ("--line-buffer", "--lb"), ("--tag", "--tag")]


def measure(setting):
    size = setting.pick(1 << 30, 1 << 26)
    lines = setting.pick(10_000_000, 250_000)
    return contests(setting, [*(bytes_work(setting, size, *way) for way in WAYS),
                              *(lines_work(setting, lines, *way) for way in WAYS)])


def bytes_work(setting, size, leat_option, peer_option):
    """One line without an end each."""
    task = f"head -c {size} /dev/zero"
    tag = len(task) + 1 if leat_option == "--tag" else 0
    # By lines, one that has no end gets it before the next task's.
    ends = TASKS - 1 if leat_option.startswith("--") else 0
    work = contest(setting, f"bytes {leat_option}".strip(), task, TASKS * size / (1 << 20),
                   "MiB/s", leat_option, peer_option)
    raw, leat, peer = work.entrants
    raw.output = TASKS * size
    leat.output = TASKS * (size + tag) + ends
    peer.output = TASKS * (size + tag)
    if leat_option.startswith("--"):
        peer.missing = peer.missing or "it takes minutes, or gigabytes of memory"
    return work


def lines_work(setting, lines, leat_option, peer_option):
    task = f"seq {lines}"
    tag = len(task) + 1 if leat_option == "--tag" else 0
    work = contest(setting, f"lines {leat_option}".strip(), task, TASKS * lines, "lines/s",
                   leat_option, peer_option)
    for entrant in work.entrants:
        mine = 0 if entrant.command == RAW else tag
        entrant.output = TASKS * (size_of_seq(lines) + lines * mine)
    return work


def size_of_seq(last):
    """The bytes that seq(1) writes from 1 to `last`."""
    digits = len(str(last))
    shorter = sum(9 * 10 ** (n - 1) * (n + 1) for n in range(1, digits))
    return shorter + (last - 10 ** (digits - 1) + 1) * (digits + 1)


def contest(setting, name, task, amount, unit, leat_option, peer_option):
    stdin = setting.write(f"tasks of {name}", task, TASKS)
    leat = [setting.leat, f"-j{SLOTS}", *leat_option.split()]
    peer = ["parallel", "--will-cite", f"-j{SLOTS}", *peer_option.split()]
    return Work(name, unit, [
        Entrant("raw xargs", RAW, amount, stdin),
        Entrant(f"leat {leat_option}".strip(), leat, amount, stdin),
        Entrant(f"GNU parallel {peer_option}".strip(), peer, amount, stdin,
                missing=missing("GNU parallel"))], limit="raw xargs", piped=True, peak=True)
