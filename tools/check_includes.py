#!/usr/bin/env python3
"""Checks that each folder of src/ includes only what src/README.md allows it, and that no file is too long.

The table in src/README.md is the rule: | folder | what it is | may include |. Tests may include GoogleTest's headers
and headers of the same rule as their folder. Files aim at 100-150 lines and never pass 600.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_LINES = 600


def rules() -> dict[str, set[str]]:
    """folder -> folders it may include, as closed over what those may include."""
    direct = {}
    for line in (ROOT / "src/README.md").read_text().splitlines():
        cells = [cell.strip(" `/") for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and (ROOT / "src" / cells[0]).is_dir():
            direct[cells[0]] = {name.strip(" `/") for name in cells[2].split(",") if name.strip(" `/") not in ("", "-")}

    def closed(folder: str) -> set[str]:
        return {folder}.union(*(closed(other) for other in direct[folder])) if direct[folder] else {folder}

    return {folder: closed(folder) for folder in direct}


def main() -> int:
    allowed, wrong = rules(), []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        name, folder = path.relative_to(ROOT), path.relative_to(ROOT / "src").parts[0]
        lines = path.read_text().splitlines()
        if len(lines) > MOST_LINES:
            wrong.append(f"{name}: {len(lines)} lines; {MOST_LINES} is the most")
        if folder not in allowed:
            wrong.append(f"{name}: folder {folder} is missing in the table of src/README.md")
            continue
        for number, line in enumerate(lines, 1):
            found = re.match(r'#include "([a-z_]+)/', line)
            if found and found.group(1) not in allowed[folder]:
                wrong.append(f"{name}:{number}: {folder} may not include {found.group(1)} (src/README.md)")
    for path in sorted([*(ROOT / "test").rglob("*.py"), *(ROOT / "bench").rglob("*.py"), *(ROOT / "tools").iterdir()]):
        if path.is_file() and len(path.read_text().splitlines()) > MOST_LINES:
            wrong.append(f"{path.relative_to(ROOT)}: more than {MOST_LINES} lines")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
