"""`python -m bench`: every row, each figure with its bar; exit status 1 when a bar is missed."""

import argparse
import datetime
import os
import platform
import signal
import sys
import textwrap

from rig.binaries import MissingBinary, spotkeeper

from . import big, drain, ecs, executable, idle, reaction, storm, world
from .context import Context
from .figure import Figure, heading

ROWS = [executable, reaction, idle, drain, ecs, world, storm]
BY_NAME = [big]  # take long: only when they are asked for


def main() -> int:
    names = [row.NAME for row in ROWS + BY_NAME]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter notices, fewer repetitions: 1 minute, not 6")
    parser.add_argument("--row", action="append", choices=names, help="only this row (may be given several times)")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"likewise: of {', '.join(names)}")
    parser.add_argument("--hosts", type=_numbers, help="storm: of so many hosts each (default 50,200)")
    parser.add_argument("--runs", type=int, default=1, help="storm, big: so many times each, for medians")
    parser.add_argument("--controllers", choices=["raised", "default", "both"], default="both", help="storm: their QPS")
    parser.add_argument("--via", choices=["command", "sqs"], default="command", help="storm: how it is announced")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    wanted = [*(options.row or []), *options.rows] or [row.NAME for row in ROWS]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(
        f"{datetime.date.today()}  {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )
    print(f"{spotkeeper()}\n\n{heading()}", flush=True)
    missed: list[Figure] = []
    with Context(options.quick, options.hosts, options.runs, options.controllers, options.via) as context:
        for row in ROWS + BY_NAME:
            if row.NAME not in wanted:
                continue
            print(f"{row.NAME}: {row.__doc__.splitlines()[0]}", flush=True)
            result = row.measure(context)
            for figure in result.figures:
                print(figure.line(), flush=True)
            for note in result.notes:
                print(textwrap.fill(note, 100, initial_indent="  ", subsequent_indent="  "), flush=True)
            missed += [figure for figure in result.figures if figure.missed]
    print(f"\n{len(missed)} bars missed" + "".join(f"\n  {figure.what}" for figure in missed))
    return 1 if missed else 0


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MissingBinary as missing:
        sys.exit(f"bench: {missing}")
    except KeyboardInterrupt:
        sys.exit(130)
