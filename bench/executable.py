"""the file: its size without symbols, and whether it needs any other file to run"""

import pathlib
import subprocess
import tempfile

from rig.binaries import spotkeeper

from .context import Context, Result
from .figure import Figure

NAME = "executable"


def measure(_: Context) -> Result:
    program = spotkeeper()
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "--strip-all", "-o", stripped, program], check=True)
        size = stripped.stat().st_size
    figures = [
        Figure("executable, stripped (1 MB = 1,000,000 bytes)", [size / 1e6], "MB", 12),
        Figure("shared libraries and interpreters it needs", [_needs(program)], "", 0),
    ]
    return Result(figures, [f"{program}: {size:,} bytes stripped, {program.stat().st_size:,} as built"])


def _needs(program: pathlib.Path) -> int:
    """Lines of its ELF headers that name a shared library (NEEDED) or an interpreter (INTERP)."""
    command = ["readelf", "--wide", "--program-headers", "--dynamic", program]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sum("(NEEDED)" in line or line.split()[:1] == ["INTERP"] for line in text.splitlines())
