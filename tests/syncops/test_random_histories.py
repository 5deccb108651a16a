"""Whatever happened to a line: in the end it shows what was recorded, what people added, and nothing twice.

RANDOM_HISTORIES=2000 plays more of them; HISTORY=17 plays one.
"""

import os
from datetime import timedelta

import pytest

from portal.audit import breaks
from portal.models import AuditEntry
from syncops.models import Stream, SyncOperation, Write
from tests.syncops.histories import BEYOND, History

ONE = os.environ.get("HISTORY")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("RANDOM_HISTORIES", "16")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_ends_as_it_was_told(cast, seed):
    history = History(cast, seed)
    history.play()
    history.mend()
    lines_show_what_was_told(history)
    nothing_was_applied_twice(history)
    everything_is_over()
    assert list(breaks(cast.csp)) == []


def lines_show_what_was_told(history):
    contract = history.contract
    days = [contract.starts_on + timedelta(days=n) for n in range((contract.ends_on - contract.starts_on).days + 1)]
    for told in history.told:
        shown = {day: history.psa.units_on(told.line, day) for day in days}
        assert shown == told.expected(days)


def nothing_was_applied_twice(history):
    requests = history.requests()
    applied = [requests[pk] for pk in Write.objects.filter(state="applied", kind="adjust").values_list("pk", flat=True)]
    assert len(applied) == len(history.psa.applied)
    assert all(any(one is other for other in history.psa.applied) for one in applied)


def everything_is_over():
    left = SyncOperation.objects.exclude(state__in=SyncOperation.FINAL).exclude(error_kind=BEYOND)
    assert not left, [(one.kind, one.state, one.error) for one in left]
    assert not Write.objects.filter(state__in=Write.UNPROVED)
    assert not Stream.objects.exclude(due=None)
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None)
