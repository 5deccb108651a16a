"""What an operation's stored plan and proof say, ready for a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncops.models import JournalEntry, Run, SyncOperation
from syncops.timeline import Timeline

STEPS = {
    "intent": "Written down what will be sent",
    "accepted": "Accepted by Autotask, not proved yet",
    "applied": "Proved: it was applied",
    "not_applied": "Proved: it was not applied",
    "rejected": "Rejected by Autotask",
    "not_sent": "Not sent",
    "unknown": "Sent, and no answer came",
    "line": "The line is known",
    "proof": "Read back",
    "uncertain": "Not certain yet",
    "failed": "Failed",
    "error": "An error on our side",
    "stale": "Came back too late: another worker had taken over",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a run's journal in words, with what was said at it."""

    words: str
    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run with its steps."""

    run: Run
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which nothing changes: units and unit price before, as expected, and as found."""

    start: date
    end: date | None
    before: int | None
    expected: int | None
    found: int | None
    price: Decimal | None
    agrees: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """The planned adjustments, and the line before and after."""

    adjustments: tuple[dict[str, Any], ...]
    stretches: tuple[Stretch, ...]
    foreign: tuple[tuple[date, int], ...]
    matched: bool | None


def evidence_of(operation: SyncOperation) -> Evidence:
    """Read the JSON that the engine stored; empty where no run has planned yet."""
    plan, proof = operation.plan, operation.proof
    adjustments = tuple(
        {
            "effective": date.fromisoformat(one["effective"]),
            "unit_change": int(one["unit_change"]),
            "price": _money(one["price"]),
            "cost": _money(one["cost"]),
        }
        for one in plan.get("adjustments", [])
    )
    before = Timeline.from_json(proof.get("before") or plan.get("actual") or [])
    expected = Timeline.from_json(proof.get("expected") or plan.get("wanted") or [])
    found = Timeline.from_json(proof["found"]) if "found" in proof else None
    return Evidence(
        adjustments,
        tuple(_stretches(before, expected, found)),
        tuple((date.fromisoformat(day), units) for day, units in proof.get("foreign", [])),
        proof.get("matched"),
    )


def attempts_of(operation: SyncOperation) -> list[Attempt]:
    """Every run with its journal, oldest first. Two queries."""
    runs = operation.runs.prefetch_related("journal")
    return [Attempt(run, tuple(_step(entry) for entry in run.journal.all())) for run in runs]


def _step(entry: JournalEntry) -> Step:
    detail = entry.detail
    said = [str(detail[name]) for name in ("error", "answer") if detail.get(name) not in (None, "", "None")]
    if line := detail.get("line"):
        said.append(f"line #{line}")
    return Step(STEPS.get(entry.phase, entry.phase), entry.at, " ".join(said))


def _stretches(before: Timeline, expected: Timeline, found: Timeline | None) -> list[Stretch]:
    days = sorted({*before.breakpoints, *expected.breakpoints, *(found.breakpoints if found else ())})
    stretches = []
    for index, day in enumerate(days):
        shown = found.at(day) if found else None
        wanted = expected.at(day)
        stretches.append(
            Stretch(
                start=day,
                end=days[index + 1] - timedelta(days=1) if index + 1 < len(days) else None,
                before=before.at(day).units,
                expected=wanted.units,
                found=shown.units if shown else None,
                price=shown.price if shown else wanted.price,
                agrees=shown is None or shown.satisfies(wanted),
            )
        )
    return stretches


def _money(text: str | None) -> Decimal | None:
    return None if text in (None, "None") else Decimal(text)
