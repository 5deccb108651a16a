"""A file of many rows on its way: read and judged, checked once more, applied. Each step goes on where it was stopped.

Nothing is applied before every row was judged anew. A worker that lost its lease finds out by the fence, and writes
nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction

from portal import leases
from portal.actions.imports import RUN_TASK
from portal.archives import Unreadable
from portal.audit import Actor, storable
from portal.far_side import FarSideError
from portal.imports import KINDS, Effect, Kind, Verdict, Why, contradictions, refused, repeated, summed
from portal.models import ImportRow, SheetImport
from portal.queue import enqueue
from portal.sheet_reading import SheetRow, open_sheet

BUDGET_S = 60.0
BATCH = 200
AGAIN = "Mend the row and hand the file in again."
State = SheetImport.State
Outcome = ImportRow.Outcome
Clock = Callable[[], datetime]


class Lost(Exception):
    """Another worker has the run; what this one has not written yet is not written."""


def run_import(run_id: int, *, clock: Clock, budget_s: float = BUDGET_S) -> SheetImport:
    """Go on for at most `budget_s`, with whatever step the file is at; what is not through then goes on later."""
    now = clock()
    claimed = leases.claim(SheetImport.objects.working(), run_id, now)
    run = SheetImport.objects.select_related("organization", "started_by", "accepted_by").get(pk=run_id)
    if not claimed:
        return run
    if leases.exhausted(run.attempts):
        leases.settle(run, state=State.FAILED, due_at=None, finished_at=now, problem="It stopped again and again.")
    else:
        _go_on(run, clock, now + timedelta(seconds=budget_s))
    return SheetImport.objects.select_related("organization").get(pk=run_id)


def _go_on(run: SheetImport, clock: Clock, until: datetime) -> None:
    kind = KINDS[run.kind]
    steps = {State.READING: _read, State.CHECKING: _check, State.APPLYING: _apply}
    try:
        while run.is_working:
            for number, _ in enumerate(steps[State(run.state)](run, kind, clock)):
                if number and clock() >= until:  # at least one piece each time, so that it comes to an end
                    leases.settle(run, due_at=clock())
                    enqueue(RUN_TASK, run.pk)
                    return
    except Lost:
        return
    except Unreadable as error:
        ImportRow.objects.filter(run=run).delete()
        leases.settle(run, state=State.FAILED, problem=str(error), content=b"", due_at=None, finished_at=clock())
    except FarSideError as error:
        again = leases.try_after(error, run.attempts, clock())
        words = f"{error.message} {error.advice}".strip()
        ended = {} if again else {"state": State.FAILED, "finished_at": clock()}
        leases.settle(run, due_at=again, problem=words, **ended)


def _read(run: SheetImport, kind: Kind, clock: Clock) -> Iterator[None]:
    """Judge row after row, and at the end what contradicts each other."""
    rows = (row for row in open_sheet(bytes(run.content), kind.columns).rows if row.number > run.cursor)
    while batch := list(islice(rows, BATCH)):
        judged = [_stored(run, row, verdict) for row, verdict in zip(batch, _judged(run, kind, batch), strict=True)]
        with transaction.atomic():
            _note(run, clock(), cursor=batch[-1].number, done=run.done + len(batch))
            ImportRow.objects.bulk_create(judged)
        yield
    _compare(run)
    _end_step(run, clock, State.READY, total=run.done, content=b"", money=_money(run))


def _check(run: SheetImport, kind: Kind, clock: Clock) -> Iterator[None]:
    """Judge anew what would be applied. Something else now than the person saw is refused; without their leave to
    apply a part, nothing is applied then.
    """
    for batch in _batches(run, ImportRow.objects.filter(run=run).to_apply()):
        rows = [SheetRow(row.number, row.cells) for row in batch]
        other = [
            row
            for row, verdict in zip(batch, kind.judge(run, rows), strict=True)
            if verdict.effect != Effect.SAME and _otherwise(row, verdict)
        ]
        with transaction.atomic():
            _note(run, clock(), cursor=batch[-1].number, done=run.done + len(batch))
            ImportRow.objects.bulk_update(other, ["effect", "reasons", "words", "money"])
        yield
    changed = ImportRow.objects.filter(run=run, effect=Effect.REFUSE).count()
    if changed and not run.partial:
        words = f"Something changed since you looked: {changed} rows are refused now. Nothing was applied."
        _end_step(run, clock, State.READY, problem=words, accepted_at=None, money=_money(run))
    else:
        _end_step(run, clock, State.APPLYING, due_at=clock(), money=_money(run))


def _apply(run: SheetImport, kind: Kind, clock: Clock) -> Iterator[None]:
    actor = Actor.user(run.accepted_by) if run.accepted_by else Actor.system("import")
    for batch in _batches(run, ImportRow.objects.filter(run=run).to_apply()):
        for row in batch:
            reasons = kind.apply(run, row, actor, clock())
            row.outcome = Outcome.REFUSED if reasons else Outcome.DONE
            row.reasons = [list(why) for why in reasons]
            with transaction.atomic():
                _note(run, clock(), cursor=row.number, done=run.done + 1, problem="")
                row.save(update_fields=["outcome", "reasons"])
            yield
    _end_step(run, clock, State.APPLIED, finished_at=clock())


def _judged(run: SheetImport, kind: Kind, rows: Sequence[SheetRow]) -> list[Verdict]:
    """What each row would do; of one that cannot be taken as it stands, its kind is not asked."""
    whole = iter(kind.judge(run, [row for row in rows if not row.problem]))
    return [refused("", (row.problem, AGAIN)) if row.problem else next(whole) for row in rows]


def _otherwise(row: ImportRow, verdict: Verdict) -> bool:
    """Make a refusal of a row that would do something else now than was shown; True where it would."""
    if verdict.effect == row.effect and verdict.target == row.target:
        return False
    reasons = verdict.reasons or ((f"It would do something else now: {verdict.words}", "Hand the file in again."),)
    row.effect, row.reasons, row.words, row.money = Effect.REFUSE, _listed(reasons), "", []
    return True


def _compare(run: SheetImport) -> None:
    """Refuse the rows that contradict each other, and leave alone those that say what an earlier one says."""
    rows = ImportRow.objects.filter(run=run)
    claims = list(rows.exclude(ours_key="").order_by("number").values_list("number", "ours_key", "theirs_key"))
    against = contradictions(claims)
    for row in _numbered(run, against):
        row.effect, row.reasons, row.words, row.money = Effect.REFUSE, [*row.reasons, list(against[row.number])], "", []
        row.save(update_fields=["effect", "reasons", "words", "money"])
    again = repeated(claim for claim in claims if claim[0] not in against)
    for row in _numbered(run, again):
        if row.effect in ImportRow.WANTED:
            row.effect, row.words, row.money = Effect.SKIP, f"Row {again[row.number]} says the same.", []
            row.save(update_fields=["effect", "words", "money"])


def _numbered(run: SheetImport, numbers: Iterable[int]) -> Iterator[ImportRow]:
    left = iter(sorted(numbers))
    while some := list(islice(left, BATCH)):
        yield from ImportRow.objects.filter(run=run, number__in=some).order_by("number")


def _batches(run: SheetImport, rows: Any) -> Iterator[list[ImportRow]]:
    """What is left of `rows` behind the cursor."""
    while batch := list(rows.filter(number__gt=run.cursor).order_by("number")[:BATCH]):
        yield batch


def _stored(run: SheetImport, row: SheetRow, verdict: Verdict) -> ImportRow:
    return ImportRow(
        run=run,
        number=row.number,
        cells={name: storable(text) for name, text in row.cells.items()},
        effect=verdict.effect,
        ours=storable(verdict.ours)[:300],
        words=storable(verdict.words)[:500],
        reasons=_listed(verdict.reasons),
        warnings=_listed(verdict.warnings),
        ours_key=verdict.ours_key,
        theirs_key=verdict.theirs_key,
        target=dict(verdict.target),
        money=[[label, str(amount), currency] for label, amount, currency in verdict.money],
    )


def _listed(reasons: Iterable[Why]) -> list[list[str]]:
    return [[storable(text), storable(fix)] for text, fix in reasons]


def _money(run: SheetImport) -> list[list[str]]:
    rows = ImportRow.objects.filter(run=run).to_apply().exclude(money=[])
    return summed(rows.order_by("number").values_list("money", flat=True).iterator(chunk_size=2000))


def _note(run: SheetImport, now: datetime, **values: Any) -> None:
    """Write how far the run came and hold it for longer. Raises Lost where another worker has it."""
    until = now + timedelta(seconds=settings.EXECUTOR["lease_s"])
    held = SheetImport.objects.working().filter(pk=run.pk, fence=run.fence)
    if not held.update(lease_until=until, attempts=0, **values):
        raise Lost
    for name, value in values.items():
        setattr(run, name, value)


def _end_step(run: SheetImport, clock: Clock, state: str, **values: Any) -> None:
    """Bring the run to its next step; one that a worker does goes on at once."""
    written = {"state": state, "cursor": 0, "due_at": None} | values
    if state in SheetImport.WORKING:
        _note(run, clock(), done=0, **written)
    elif not leases.settle(run, **written):
        raise Lost
    for name, value in written.items():
        setattr(run, name, value)
