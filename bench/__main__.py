"""`python -m bench`: every row, each figure with its bar; exit status 1 when a bar is missed."""

import argparse
import datetime
import os
import platform
import signal
import sys
import textwrap

from rig.binaries import MissingBinary, spotkeeper

from . import drain, executable, idle, reaction, world
from .context import Context
from .figure import Figure, heading

ROWS = [executable, reaction, idle, drain, world]


def main() -> int:
    names = [row.NAME for row in ROWS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter notices, fewer repetitions: 1 minute, not 6")
    parser.add_argument("--row", action="append", choices=names, help="only this row (may be given several times)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(
        f"{datetime.date.today()}  {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )
    print(f"{spotkeeper()}\n\n{heading()}", flush=True)
    missed: list[Figure] = []
    with Context(options.quick) as context:
        for row in ROWS:
            if row.NAME not in (options.row or names):
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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MissingBinary as missing:
        sys.exit(f"bench: {missing}")
    except KeyboardInterrupt:
        sys.exit(130)
