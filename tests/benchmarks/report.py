"""Figures beside their limits: as a table for people, as JSON for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Aim:
    """What the ratio should be: at most `ratio`, or at least where more is better."""

    ratio: float
    at_least: bool = False

    def met_by(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.at_least else ratio <= self.ratio

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.ratio:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `limit`, in the same unit, was computed or measured in the same run."""

    name: str
    figure: float
    unit: str
    limit: float
    aim: Aim | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.figure / self.limit

    def as_json(self) -> dict[str, str | float]:
        kept = {name: value for name, value in asdict(self).items() if name in ("name", "figure", "unit", "limit")}
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in kept.items()}
        return rounded | {"ratio": round(self.ratio, 4)}

    def cells(self) -> tuple[str, ...]:
        met = "" if self.aim is None else "yes" if self.aim.met_by(self.ratio) else "NO"
        aim = "" if self.aim is None else str(self.aim)
        return (self.name, _short(self.figure), _short(self.limit), self.unit, f"{self.ratio:.2f}", aim, met, self.note)


HEADINGS = ("name", "figure", "limit", "unit", "ratio", "aim", "met", "")
NUMBERS = (1, 2, 4)


def table(figures: Sequence[Figure]) -> str:
    """Columns as wide as their widest cell, numbers to the right."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    lines = [
        "  ".join(_padded(cell, width, place) for place, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths[:-1]))
    return "\n".join(line.rstrip() for line in lines)


def write_json(figures: Sequence[Figure], file: Path) -> None:
    """Replace the file at once, so that a reader never finds half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n", encoding="utf-8")
    draft.replace(file)


def _padded(cell: str, width: int, place: int) -> str:
    return cell.rjust(width) if place in NUMBERS else cell.ljust(width)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
