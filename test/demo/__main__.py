"""`python test/demo` (what `make demo-real` does): see main.py."""

import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])  # test/: "demo" and "rig" are packages there

from demo.main import main  # noqa: E402

sys.exit(main())
