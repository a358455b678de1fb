"""Our side of each row of docs/benchmarks.md, measured on the test rig: `python -m bench`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test"))  # where the package `rig` is
