"""A worker dies at every commit there is, just before it and just after; then another one takes over.

CRASH_FAULTS=all sweeps every fault of the far side as well, not only those that matter most.
"""

import os
from itertools import count

import pytest
from django.db import connection, transaction

from portal.audit import breaks
from portal.models import AuditEntry
from syncops.actions import retry_operation
from syncops.models import Stream, SyncOperation, Write
from tests.syncops.desk import TODAY, make_desk
from tests.syncops.mishaps import Killed, neighbour

CHOSEN = {"adjust": ("", "drop_after"), "create_line": ("drop_after",), "unit_rows": ("unavailable",)}
ALL = {
    "adjust": ("", "drop_before", "drop_after", "reject", "unavailable", "swallow", "unauthorized"),
    "create_line": ("drop_before", "drop_after", "reject", "swallow", "nameless"),
    "unit_rows": ("unavailable", "stale"),
    "find_lines": ("drop_after",),
}
FAULTS = [
    (verb, fault) for verb, faults in (ALL if "CRASH_FAULTS" in os.environ else CHOSEN).items() for fault in faults
]


class Death:
    """Ends the worker at the nth commit: before it, so that it never was, or after it."""

    def __init__(self, point: int) -> None:
        self.commit, self.after = divmod(point, 2)
        self.seen, self.came = 0, False
        self.depth = len(connection.savepoint_ids)

    def __call__(self, execute, sql, params, many, context):
        ends = sql.startswith("RELEASE SAVEPOINT")
        alone = sql.startswith(("UPDATE", "INSERT")) and len(connection.savepoint_ids) == self.depth
        self.seen += ends or alone
        if self.came or not (ends or alone) or self.seen != self.commit + 1:
            return execute(sql, params, many, context)
        self.came = True
        if self.after:
            execute(sql, params, many, context)
        elif ends:
            execute(sql.replace("RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT"), params, many, context)
        raise Killed


def take_over(desk):
    """Another worker, when the lease is over; people retry what needs them and set new credentials."""
    desk.psa._faults.clear()
    for _ in range(40):
        desk.connection.__class__.objects.update(state="active")
        desk.drain()
        for operation in SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON):
            retry_operation(operation, actor=desk.cast.admin, now=desk.clock.now)
        waiting = Stream.objects.exclude(due=None).first()
        if waiting is None:
            return
        desk.clock.wait(max(0, (max(waiting.due, waiting.lease_until) - desk.clock.now).total_seconds()))


def is_right(*desks, units):
    desk = desks[0]
    assert [one.units(TODAY) for one in desks] == [units] * len(desks)
    assert len(desk.psa.lines_of(100)) == len(desks)
    assert {one.state for one in SyncOperation.objects.all()} == {"succeeded"}
    assert Write.objects.filter(state="applied", kind="adjust").count() == len(desk.psa.applied)
    assert not Write.objects.filter(state__in=Write.UNPROVED)
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None)
    assert list(breaks(desk.cast.csp)) == []


def sweep(cast, verb, fault, *, change):
    """How many crash points there are; every one of them was survived."""
    for point in count():
        with transaction.atomic():
            desk = make_desk(cast)
            desk.map()
            if change:
                desk.drain()
                desk.change_quantity(12)
            if fault:
                desk.psa.fail_next(verb, fault)
            death = Death(point)
            try:
                with connection.execute_wrapper(death):
                    desk.drain()
            except Killed:
                pass
            take_over(desk)
            is_right(desk, units=12 if change else 10)
            transaction.set_rollback(True)
        if not death.came:
            return point


@pytest.mark.parametrize(("verb", "fault"), FAULTS)
def test_a_mapping_survives_a_death_at_every_commit(cast, verb, fault):
    assert sweep(cast, verb, fault, change=False) > 15


@pytest.mark.parametrize(("verb", "fault"), [each for each in FAULTS if each[0] in ("adjust", "unit_rows")])
def test_a_change_survives_a_death_at_every_commit(cast, verb, fault):
    assert sweep(cast, verb, fault, change=True) > 10


def begin_pair(cast):
    """Two lines whose changes are one batch."""
    desk = make_desk(cast)
    pair = (desk, neighbour(desk))
    for one in pair:
        one.map()
    desk.drain()
    for one in pair:
        one.change_quantity(12)
    return pair


@pytest.mark.parametrize("fault", ["", "drop_after"])
def test_a_batch_survives_a_death_at_every_commit(cast, fault):
    for point in count():
        with transaction.atomic():
            pair = begin_pair(cast)
            desk = pair[0]
            if fault == "drop_after":
                desk.psa.fail_next("adjust", fault)
            death = Death(point)
            try:
                with connection.execute_wrapper(death):
                    desk.drain()
            except Killed:
                pass
            take_over(desk)
            is_right(*pair, units=12)
            transaction.set_rollback(True)
        if not death.came:
            break
    assert point > 14
