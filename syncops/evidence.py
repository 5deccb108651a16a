"""What an operation's stored plan and proof say, ready for a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connections.models import MirroredContract
from portal.templatetags.portal import day
from syncops import journal
from syncops.chart import Chart, draw
from syncops.comparison import ENDS, Comparison, compare
from syncops.lines import term_of
from syncops.models import JournalEntry, Rehearsal, Run, SyncOperation, Write
from syncops.preview import Shown, shown_of
from syncops.timeline import Row, Timeline

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
    "error": "It did not work",
    "failed": "Left to a person",
    "stale": "Came back too late: another worker had taken over",
}

OUTCOMES = {
    "first_part_proved": "the first part is proved",
    "moved_to_next_day": "moved to the next day",
    "out_of_time": "interrupted, goes on at once",
    "postponed": "tried again later",
    "proved": "an earlier write is proved",
    "proved_not_applied": "proved that nothing had happened",
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

    @property
    def words(self) -> str:
        """How the run ended."""
        return OUTCOMES.get(self.run.outcome, self.run.outcome.replace("_", " "))


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
    chart: Chart | None = None


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
    after, contract = expected if found is None else found, contract_of(operation)
    known = bool(before.steps or after.steps)
    return Evidence(
        adjustments,
        tuple(_stretches(before, expected, found)),
        tuple((date.fromisoformat(since), units) for since, units in proof.get("foreign", [])),
        proof.get("matched"),
        draw(before, after, rows=rows_of(proof), contract_end=contract.ends_on if contract else None)
        if known
        else None,
    )


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal found of an operation, ready for a page."""

    row: Rehearsal
    shown: Shown

    @property
    def words(self) -> str:
        return str(self.row.get_verdict_display() if self.row.is_sent else "Is dismissed")

    @property
    def tone(self) -> str:
        return {"sends": "ok", "stops": "bad"}.get(self.row.verdict, "muted") if self.row.is_sent else "muted"


def rehearsed_of(operation: SyncOperation) -> Rehearsed | None:
    """What going live would do with it; None where it does not wait for that."""
    if operation.state != SyncOperation.State.REHEARSED:
        return None
    row = Rehearsal.objects.filter(operation=operation).first()
    return Rehearsed(row, shown_of(row.shown)) if row else None


def contract_of(operation: SyncOperation) -> MirroredContract | None:
    """The operation's contract as it was last read."""
    contracts = MirroredContract.objects.filter(connection_id=operation.connection_id)
    return contracts.filter(remote_id=operation.mapping.contract_id).first()


def rows_of(proof: dict[str, Any]) -> tuple[Row, ...]:
    """The unit rows that a proof was read from."""
    return tuple(
        Row(
            date.fromisoformat(row["start"]),
            date.fromisoformat(row["end"]),
            row["units"],
            _money(row["price"]),
            _money(row["cost"]),
            row["posted"],
        )
        for row in proof.get("rows", [])
    )


def comparison_of(operation: SyncOperation) -> Comparison | None:
    """The preview that was stored with a proved operation beside its proof; None where one of the two is missing, or
    the contract is not known any more.
    """
    preview, proof, contract = operation.preview, operation.proof, contract_of(operation)
    if not preview or contract is None or not {"found", ENDS} & proof.keys():
        return None
    writes = operation.writes.filter(kind=Write.Kind.ADJUST, state=Write.State.APPLIED).order_by("pk")
    sent = [journal.adjustment_of(write) for write in writes]
    return compare(preview, sent, Timeline.from_json(proof.get("found", [])), rows_of(proof), term_of(contract))


def story_of(operation: SyncOperation) -> tuple[list[Step], list[Step]]:
    """What came before the first run, from the change on, and how the operation ended. Both oldest first."""
    change, began = operation.change, []
    if change is not None:
        by = change.actor or change.get_source_display()
        began.append(
            Step(change.get_kind_display(), change.recorded_at, f"in force from {day(change.effective_on)}, {by}")
        )
    asked = f"{operation.label} from {day(operation.effective_on)}" if operation.effective_on else operation.label
    began.append(
        Step("Written down to be sent", operation.created_at, f"{asked}, on {operation.mapping.contract_name}")
    )
    ended = []
    if operation.finished_at and not operation.is_open:
        ended.append(Step(_ending(operation), operation.finished_at, operation.error))
    return began, ended


def _ending(operation: SyncOperation) -> str:
    if operation.state != SyncOperation.State.SUCCEEDED:
        return operation.get_state_display()
    if operation.proof.get("matched"):
        return "Proved: the line shows what was expected"
    return "Sent; the line shows more than that"


def attempts_of(operation: SyncOperation) -> list[Attempt]:
    """Every run with its journal, oldest first. Two queries."""
    runs = operation.runs.prefetch_related("journal")
    return [Attempt(run, tuple(_step(entry) for entry in run.journal.all())) for run in runs]


def _step(entry: JournalEntry) -> Step:
    detail = entry.detail
    found = (detail.get(name) for name in ("error", "answer", "waiting_for"))
    said = [str(words) for words in found if words not in (None, "", "None")]
    if line := detail.get("line"):
        said.append(f"line #{line}")
    return Step(STEPS.get(entry.phase, entry.phase), entry.at, " ".join(said))


def _stretches(before: Timeline, expected: Timeline, found: Timeline | None) -> list[Stretch]:
    days = sorted({*before.breakpoints, *expected.breakpoints, *(found.breakpoints if found else ())})
    stretches = []
    for index, start in enumerate(days):
        shown = found.at(start) if found else None
        wanted = expected.at(start)
        stretches.append(
            Stretch(
                start=start,
                end=days[index + 1] - timedelta(days=1) if index + 1 < len(days) else None,
                before=before.at(start).units,
                expected=wanted.units,
                found=shown.units if shown else None,
                price=shown.price if shown else wanted.price,
                agrees=shown is None or shown.satisfies(wanted),
            )
        )
    return stretches


def _money(text: str | None) -> Decimal | None:
    return None if text in (None, "None") else Decimal(text)
