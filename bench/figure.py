"""A measured figure, its bar, and the line that says both."""

import dataclasses
import statistics

_CHOOSE = {"median": statistics.median, "mean": statistics.fmean, "worst": max}


@dataclasses.dataclass(frozen=True)
class Figure:
    """`samples` in `unit`; `by` says which of their median, mean or worst has to be `bar` or less."""

    what: str
    samples: list[float]
    unit: str
    bar: float | None
    by: str = "median"

    @property
    def value(self) -> float:
        return _CHOOSE[self.by](self.samples)

    @property
    def missed(self) -> bool:
        return self.bar is not None and self.value > self.bar

    def measured(self) -> str:
        """`median 6.7 ms (5.9–9.1, n=10)`; a figure that never differs is shown alone."""
        low, high = _short(min(self.samples)), _short(max(self.samples))
        value = f"{_short(self.value)} {self.unit}".strip()
        if len(self.samples) == 1:
            return value
        if low == high:
            return f"{value} (n={len(self.samples)})"
        return f"{self.by} {value} ({low}–{high}, n={len(self.samples)})"

    def line(self) -> str:
        bar = "" if self.bar is None else f"{_short(self.bar)} {self.unit}".strip()
        judgement = "" if self.bar is None else "MISSED" if self.missed else "ok"
        return f"  {self.what:<50}  {self.measured():<38}  {bar:<8}  {judgement}".rstrip()


def heading() -> str:
    return f"  {'figure':<50}  {'measured':<38}  {'bar':<8}"


def _short(number: float) -> str:
    if number == int(number) or abs(number) >= 100:
        return f"{number:.0f}"
    return f"{number:.1f}" if abs(number) >= 2 else f"{number:.2f}"
