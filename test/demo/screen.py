"""Plain lines that fit: wrapped to the terminal (80 columns in a pipe), coloured only where colour is wanted."""

import os
import re
import shutil
import sys
import textwrap

_CODES = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_CODE = re.compile(r"\x1b\[\d*m")


class Screen:
    """Writes to stdout. No cursor tricks: a line that is written stays."""

    def __init__(self) -> None:
        self._out = sys.stdout
        self.terminal = self._out.isatty()
        self._colour = self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Asked at every line: a terminal may be resized. Not above 100, where lines get hard to follow."""
        return max(60, min(100, shutil.get_terminal_size((80, 24)).columns)) if self.terminal else 80

    def colour(self, text: str, name: str) -> str:
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self._colour and name else text

    def line(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)

    def paragraph(self, text: str, indent: str = "") -> None:
        """Joined and wrapped anew."""
        for line in textwrap.wrap(
            " ".join(text.split()), self.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        ):
            self.line(line)

    def columns(self, cells: list[str], widths: list[int], colours: dict[int, str] | None = None) -> None:
        """One row of a table. The last cell takes what is left of the line, and wraps below itself."""
        start = sum(widths) + 2 * len(widths)
        rest = textwrap.wrap(cells[-1], max(20, self.width - start), break_on_hyphens=False) or [""]
        padded = [cell.ljust(width) for cell, width in zip(cells, widths)] + [rest[0]]
        for index, name in (colours or {}).items():
            padded[index] = self.colour(padded[index], name)
        self.line(_stripped("  ".join(padded)))
        last = (colours or {}).get(len(widths), "")
        for more in rest[1:]:
            self.line(" " * start + self.colour(more, last))


def _stripped(line: str) -> str:
    """Without blanks at its end, also when they are coloured."""
    return line if _CODE.search(line) else line.rstrip()
