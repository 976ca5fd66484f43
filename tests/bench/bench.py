#!/usr/bin/env -S python3 -B
"""Measure leat next to its peers and to what is possible at all, on the same work in the
same run, and say which of its promises (table.py) it reaches. README.md has the method.

    bench.py [--short] [PART...]

PART is one of starts, latency, output, records, many and reports; all without one. Needs
what `make bench` builds, in $BUILD. BENCH_ROUNDS: how many rounds (3, short: 2). Exits 1
where a program failed or leat lost something; how fast it was decides nothing.
"""
import os
import sys
import tempfile

import latency
import many
import output
import records
import reports
import starts
from measure import Setting
from table import print_complaints, print_head, print_promises, print_work, tell

PARTS = {"starts": starts, "latency": latency, "output": output, "records": records,
         "many": many, "reports": reports}


def measure_all(setting, parts):
    """The figures of each work are printed as soon as they are there."""
    if setting.short:
        tell("a short run: a tenth of the work or less, so its ratios are rough")
    print_head()
    for name in parts:
        for work, limit in PARTS[name].measure(setting):
            print_work(setting, work, limit)
    print_complaints(setting)
    print_promises(setting)


def main(arguments):
    short = "--short" in arguments
    parts = [argument for argument in arguments if argument != "--short"]
    if not set(parts) <= set(PARTS):
        sys.exit(__doc__)
    build = os.environ.get("BUILD") or os.path.join(os.path.dirname(__file__), "../../.build")
    rounds = int(os.environ.get("BENCH_ROUNDS") or (2 if short else 3))
    with tempfile.TemporaryDirectory() as directory:
        setting = Setting(os.path.abspath(build), directory, short, rounds)
        os.chdir(directory)  # where PWD points
        measure_all(setting, parts or PARTS)
        os.chdir("/")
    return int(setting.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
