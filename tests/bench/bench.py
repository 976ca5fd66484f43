#!/usr/bin/env -S python3 -B
"""Measure leat next to its peers and to what is possible at all, on the same work in the
same run, and say which of its promises (table.py) it reaches. README.md has the method.

    bench.py [--short] [PART...]

PART is one of starts, latency, output, records, many and reports; all without one. Needs
what `make bench` builds, in $BUILD. BENCH_ROUNDS: how many rounds (3, short: 2). Exits 1
where a program failed or leat lost something; how fast it was decides nothing.
"""
import os
import subprocess
import sys
import tempfile

import latency
import many
import output
import records
import reports
import starts
from measure import Setting, note_progress, tell
from table import print_head, print_promises, print_work

PARTS = {"starts": starts, "latency": latency, "output": output, "records": records,
         "many": many, "reports": reports}
# Those of the parts that are no contest of entrants: their works, and the limit of each.
MEASURED = {"latency": {"empty input": "limit", "answer": "sh -c"},
            "many": {"very many": "leat, few", "very many: peak": "leat, few",
                     "asleep: started": None, "asleep: ended": None, "asleep: memory": None}}


def measure_part(setting, name):
    """Print the figures of each work as soon as they are there."""
    if name in MEASURED:
        PARTS[name].measure(setting)
        for work, limit in MEASURED[name].items():
            print_work(setting, work, limit)
        return
    for work in PARTS[name].works(setting):
        work.measure(setting)
        print_work(setting, work.name, work.limit)
        note_progress(f"{work.name}: done")


def measure_all(setting, parts):
    if setting.short:
        tell("a short run: a tenth of the work or less, so its ratios are rough")
    print_head()
    for name in parts:
        measure_part(setting, name)
    if setting.complaints:
        tell("\n" + "\n".join(setting.complaints))
    print_promises(setting)


def knows_warm(setting):
    told = subprocess.run([setting.leat, "--help"], capture_output=True, check=True)
    return b"--warm" in told.stdout


def main(arguments):
    short = "--short" in arguments
    parts = [argument for argument in arguments if argument != "--short"]
    if not set(parts) <= set(PARTS):
        sys.exit(__doc__)
    build = os.environ.get("BUILD") or os.path.join(os.path.dirname(__file__), "../../.build")
    rounds = int(os.environ.get("BENCH_ROUNDS") or (2 if short else 3))
    with tempfile.TemporaryDirectory() as directory:
        setting = Setting(os.path.abspath(build), directory, short, rounds)
        setting.knows_warm = knows_warm(setting)
        os.chdir(directory)  # where PWD points
        measure_all(setting, parts or PARTS)
        os.chdir("/")
    return int(setting.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
