"""the core against an emulated cluster: 1,000 random histories of 20 nodes x 30 pods, two virtual minutes each"""

import json
import os
import subprocess

from rig.binaries import REPOSITORY, MissingBinary

from .context import Context, Result
from .figure import Figure

NAME = "world"


def measure(context: Context) -> Result:
    program = REPOSITORY / "build/release/world_bench"
    if not os.access(program, os.X_OK):
        raise MissingBinary(f"{program} is missing: run tools/build release world_bench")
    histories = 50 if context.quick else 1000
    run = subprocess.run([program, str(histories)], stdout=subprocess.PIPE, text=True)
    result = json.loads(run.stdout)
    figures = [
        Figure(f"{histories} histories on {result['workers']} cores, by the clock", [result["seconds"]], "s",
               10 * histories / 1000),
        Figure("promises broken", [result["broken"]], "", 0),
    ]
    seen = ", ".join(f"{result[key]:,} {key.replace('_', ' ')}" for key in ("changes", "actions", "moved", "overruled"))
    return Result(figures, [f"{result['pods']:,} pods, {seen}"])
