"""Matching by name, in the background: maps what has exactly the same name, suggests what is alike, or accepts what was
suggested.

A run goes through our rows in the order of their ids and remembers how far it came: one that is killed goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connections.models import Connection
from mappings import likeness
from mappings.boards import BOARDS, Board, Refused
from mappings.findings import Findings, exact_names
from mappings.likeness import Names, key_of
from mappings.models import MatchRun, Suggestion
from portal import leases
from portal.audit import Actor, record
from portal.queue import enqueue

RUN_TASK = "mappings.tasks.run_match"
MATCH = "Match Names For Mapping"
BUDGET_S = 60.0
BATCH = 200


def start_match(board: Board, kind: str, *, threshold: int, actor: Actor, now: datetime) -> MatchRun:
    """The run that goes on for this page, or a new one with its wake-up and its audit entry."""
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=board.connection.pk)
        running = MatchRun.objects.running().filter(connection=board.connection, nouns=board.nouns).first()
        if running is not None:
            return running
        run = MatchRun.objects.create(
            connection=board.connection,
            nouns=board.nouns,
            kind=kind,
            threshold=threshold,
            started_by_id=actor.user_id,
            started_at=now,
            due_at=now,
        )
        record(
            MATCH,
            actor=actor,
            organization=board.connection.organization,
            subject=f"{run.get_kind_display()}: {board.nouns}",
            connection=board.connection,
            asked={"kind": kind, "of": board.nouns, "threshold": threshold},
            at=now,
        )
        enqueue(RUN_TASK, run.pk)
    return run


def run_match(run_id: int, *, clock: Callable[[], datetime], budget_s: float = BUDGET_S) -> MatchRun:
    """Go on for at most `budget_s`; a run that is not through then wakes a worker again."""
    now = clock()
    claimed = leases.claim(MatchRun.objects.running(), run_id, now)
    run = MatchRun.objects.select_related("connection__organization", "started_by").get(pk=run_id)
    if not claimed:
        return run
    if leases.exhausted(run.attempts):
        leases.settle(run, state=MatchRun.State.FAILED, finished_at=now, due_at=None)
        return MatchRun.objects.get(pk=run.pk)
    today = timezone.localdate(now, timezone=run.connection.organization.zone)
    board = BOARDS[run.nouns](run.connection, today)
    until, through = now + timedelta(seconds=budget_s), True
    for number, step in enumerate(_steps(run, board)):
        if number and clock() >= until:  # at least one step each time, so that it comes to an end
            through = False
            break
        if not step(clock()):
            return run  # somebody else has the run now
    if through:
        leases.settle(run, state=MatchRun.State.SUCCEEDED, finished_at=clock(), due_at=None)
    else:
        leases.settle(run, due_at=clock())
        enqueue(RUN_TASK, run.pk)
    run.refresh_from_db()
    return run


Step = Callable[[datetime], bool]


def _steps(run: MatchRun, board: Board) -> Iterator[Step]:
    """The work that is left, in pieces; each writes how far it came, and says whether the run is still ours."""
    return {
        MatchRun.Kind.DRY: _look,
        MatchRun.Kind.EXACT: _map_exact,
        MatchRun.Kind.ALIKE: _suggest_alike,
        MatchRun.Kind.ACCEPT: _accept,
    }[MatchRun.Kind(run.kind)](run, board)


def _look(run: MatchRun, board: Board) -> Iterator[Step]:
    """What equal names would do, kept for the page."""
    found = exact_names(board)
    counts = {"done": len(found.ours), "total": len(found.ours), "shown": found.shown()}
    yield lambda now: _note(run, now, **counts)


def _map_exact(run: MatchRun, board: Board) -> Iterator[Step]:
    found = exact_names(board)
    pairs = [pair for pair in found.pairs if pair[0] > run.cursor]
    yield from _map_pairs(run, board, pairs)
    yield lambda now: _keep_conflicts(run, board, found, now)


def _accept(run: MatchRun, board: Board) -> Iterator[Step]:
    """Every row with one suggestion that is good enough; a conflict is left to a person."""
    waiting = Suggestion.objects.waiting().filter(connection=board.connection, **{f"{board.ours}__gt": run.cursor})
    found: dict[int, int] = {}
    conflicts: set[int] = set()
    for one in waiting.order_by("-score", "pk"):
        ours = getattr(one, f"{board.ours}_id")
        if one.state == Suggestion.State.CONFLICT:
            conflicts.add(ours)
        elif one.score >= run.threshold:
            found.setdefault(ours, one.remote_id)
    yield from _map_pairs(run, board, sorted(pair for pair in found.items() if pair[0] not in conflicts))


def _map_pairs(run: MatchRun, board: Board, pairs: list[tuple[int, int]]) -> Iterator[Step]:
    run.total = run.done + len(pairs)
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]

        def step(now: datetime, batch: list[tuple[int, int]] = batch) -> bool:
            rows = board.everything().in_bulk([pk for pk, _ in batch])
            for pk, remote_id in batch:
                mapped, refused = _one(board, rows.get(pk), remote_id, run, now)
                counts = {"mapped": F("mapped") + mapped, "refused": F("refused") + refused, "done": F("done") + 1}
                if not _note(run, now, cursor=pk, total=run.total, **counts):
                    return False
            return True

        yield step


def _one(board: Board, ours: Any, remote_id: int, run: MatchRun, now: datetime) -> tuple[int, int]:
    """Map one pair; 1 or 0 for mapped and for refused."""
    actor = Actor.user(run.started_by) if run.started_by else Actor.system("automap")
    try:
        if ours is not None:
            board.map(ours, remote_id, actor=actor, at=now)
            return 1, 0
    except Refused:
        pass
    return 0, 1


def _keep_conflicts(run: MatchRun, board: Board, found: Findings, now: datetime) -> bool:
    """Names that fit more than one are suggested as conflicts, for a person to choose."""
    rejected = _rejected(board)
    rows = [
        _suggestion(board, pk, remote_id, found.theirs[remote_id], 100, "Same name", Suggestion.State.CONFLICT, now)
        for pk, others in found.conflicts.items()
        for remote_id in others
        if (pk, remote_id) not in rejected
    ]
    with transaction.atomic():
        if not _note(run, now, found=F("found") + len(rows)):
            return False
        Suggestion.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return True


def _suggest_alike(run: MatchRun, board: Board) -> Iterator[Step]:
    rejected, groups = _rejected(board), list(board.groups())
    run.total = sum(len(group.ours) for group in groups)
    left = [(pk, names, group) for group in groups for pk, names in group.ours if pk > run.cursor]
    left.sort(key=lambda one: one[0])
    searched = {id(group): Names([key_of(name) for _, name in group.theirs]) for group in groups}
    for start in range(0, len(left), BATCH):
        batch = left[start : start + BATCH]

        def step(now: datetime, batch: list[Any] = batch, start: int = start) -> bool:
            rows = [
                row
                for pk, names, group in batch
                for row in _alike(run, board, pk, names, group.theirs, searched[id(group)], rejected, now)
            ]
            done, cursor = run.total - len(left) + start + len(batch), batch[-1][0]
            with transaction.atomic():
                if not _note(run, now, cursor=cursor, done=done, total=run.total, found=F("found") + len(rows)):
                    return False
                here = Suggestion.objects.waiting().filter(connection=board.connection)
                here.filter(**{f"{board.ours}__in": [pk for pk, _, _ in batch]}).delete()
                Suggestion.objects.bulk_create(rows, ignore_conflicts=True)
            return True

        yield step
    yield lambda now: _mark_shared(run, board, now)


def _alike(
    run: MatchRun,
    board: Board,
    pk: int,
    names: tuple[str, ...],
    theirs: list[tuple[int, str]],
    searched: Names,
    rejected: set[tuple[int, int]],
    now: datetime,
) -> Iterator[Suggestion]:
    """The best of what is alike; two that fit equally well are a conflict."""
    for name in names:
        found = searched.alike(key_of(name), least=run.threshold)
        allowed = [one for one in found if (pk, theirs[one.position][0]) not in rejected]
        if allowed:
            best = [one for one in allowed if one.score == allowed[0].score]
            state = Suggestion.State.CONFLICT if len(best) > 1 else Suggestion.State.OPEN
            for one in best:
                remote_id, remote_name = theirs[one.position]
                why = likeness.why(name, remote_name, one.score)
                yield _suggestion(board, pk, remote_id, remote_name, one.score, why, state, now)
            return


def _suggestion(
    board: Board, pk: int, remote_id: int, remote_name: str, score: int, why: str, state: str, now: datetime
) -> Suggestion:
    return Suggestion(
        connection=board.connection,
        remote_id=remote_id,
        remote_name=remote_name,
        score=score,
        why=why,
        state=state,
        found_at=now,
        **{f"{board.ours}_id": pk},
    )


def _rejected(board: Board) -> set[tuple[int, int]]:
    kept = Suggestion.objects.filter(connection=board.connection, state=Suggestion.State.REJECTED)
    return set(kept.filter(**{f"{board.ours}__isnull": False}).values_list(f"{board.ours}_id", "remote_id"))


def _mark_shared(run: MatchRun, board: Board, now: datetime) -> bool:
    """Where several of ours may be the same of theirs, only one that fits better than all others stays a suggestion."""
    if not _note(run, now):
        return False
    rows = Suggestion.objects.waiting().filter(connection=board.connection, **{f"{board.ours}__isnull": False})
    claims: dict[int, list[tuple[int, int]]] = {}
    for remote_id, score, pk in rows.order_by("remote_id", "-score").values_list("remote_id", "score", "pk"):
        claims.setdefault(remote_id, []).append((score, pk))
    shared = [claim for claim in claims.values() if len(claim) > 1]
    losing = [pk for claim in shared for score, pk in claim if score < claim[0][0] or claim[1][0] == claim[0][0]]
    for start in range(0, len(losing), BATCH):
        Suggestion.objects.filter(pk__in=losing[start : start + BATCH]).update(state=Suggestion.State.CONFLICT)
    return True


def _note(run: MatchRun, now: datetime, **values: Any) -> bool:
    """Write how far the run came and hold it for longer; False where another worker has it."""
    until = now + timedelta(seconds=settings.EXECUTOR["lease_s"])
    held = MatchRun.objects.running().filter(pk=run.pk, fence=run.fence)
    return held.update(lease_until=until, attempts=0, **values) == 1
