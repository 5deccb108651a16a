"""Whatever happened to a line: in the end it shows what was recorded, what people added, and nothing twice.

RANDOM_HISTORIES=5000 plays more of them (`make torture`); HISTORY=17 plays one.
"""

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction

from portal.audit import breaks
from portal.models import AuditEntry
from syncops.models import Shortfall, Stream, SyncOperation, Write
from tests.fake_psa import FAULTS as EVERY_FAULT
from tests.fake_psa import period_starts
from tests.syncops.histories import BEYOND, History

ONE = os.environ.get("HISTORY")
MANY = list(range(int(os.environ.get("RANDOM_HISTORIES", "200"))))
SEEDS = [int(ONE)] if ONE else MANY
CHUNK = 50
CHUNKS = [SEEDS[first : first + CHUNK] for first in range(0, len(SEEDS), CHUNK)]
EVENTS = "change price pause edit post extend decide undo renew rename charge"
MISHAPS = ("fault", "late", "death", "lease", "lag", "edit")
KINDS = """map_subscription change_quantity change_price cancel suspend_licence reactivate_licence undo renew
    change_details"""


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_histories_end_as_they_were_told(cast, seeds):
    seen, failed = Counter(), []
    for seed in seeds:
        with transaction.atomic():
            try:
                seen += ends_as_it_was_told(History(cast, seed))
            except Exception as error:
                error.add_note(f"Play it again with HISTORY={seed}")
                failed.append(error)
            transaction.set_rollback(True)
        cache.clear()
    if failed:
        raise ExceptionGroup("not as they were told", failed)
    if len(seeds) == CHUNK:
        wanted = {*EVENTS.split(), *KINDS.split(), *(f"mishap {one}" for one in MISHAPS), "posted", "leap day"}
        wanted |= {"start on 29", "start on 30", "start on 31", "most changes", "at adjust", "at unit_rows"}
        wanted |= {f"met {fault}" for fault in EVERY_FAULT if fault not in ("stale", "nameless")}
        assert not wanted - {*seen}, seen


def ends_as_it_was_told(history):
    """Play a history and look at everything it left; what it contained, counted."""
    random.seed(history.seed)  # the engine's jitter
    history.play()
    history.mend()
    lines_show_what_was_told(history)
    open_days_have_the_price_that_was_told(history)
    every_step_is_where_it_may_be(history)
    nothing_was_applied_twice(history)
    charges_bill_what_was_missing(history)
    everything_is_over()
    assert list(breaks(history.told[0].desk.cast.csp)) == []
    return contents_of(history)


def contents_of(history):
    seen = history.lived + Counter(SyncOperation.objects.values_list("kind", flat=True))
    for met, times in history.psa.met.items():
        step, fault = met.split()
        seen.update({f"at {step}": times, f"met {fault}": times})
    seen[f"start on {history.contract.starts_on.day}"] += 1
    seen["posted"] += Shortfall.objects.filter(reason="posted").count()
    seen["beyond the end"] += Shortfall.objects.filter(reason="beyond_contract").count()
    seen["most changes"] += sum(history.lived[event] for event in EVENTS.split()) == 40
    return +seen


def lines_show_what_was_told(history):
    contract = history.contract
    days = [contract.starts_on + timedelta(days=n) for n in range((contract.ends_on - contract.starts_on).days + 1)]
    for told in history.told:
        line = told.line
        shown = {day: history.psa.units_on(line, day) for day in days}
        assert shown == told.expected(days)


def open_days_have_the_price_that_was_told(history):
    """Days that are not posted, unless the far side took no second adjustment on one of them."""
    for told in history.told:
        gaps = list(Shortfall.objects.filter(stream__subscription=told.desk.subscription, reason="same_date"))
        rows = history.psa.rows(told.line)
        expected = told.expected_prices([row.starts_on for row in rows])
        for row in rows:
            moved = any(gap.starts_on <= row.ends_on and gap.ends_on >= row.starts_on for gap in gaps)
            if row.units and row.starts_on > max(history.posted, history.begins) and not moved:
                assert row.price / row.units == expected[row.starts_on], row.starts_on


def every_step_is_where_it_may_be(history):
    """A price on the first day of its billing period; a quantity on its date or on the first day of the next period."""
    last = history.contract.ends_on
    starts = [*period_starts(history.contract), last + timedelta(days=1)]
    sent = SyncOperation.objects.filter(state="succeeded", effective_on__lte=last).exclude(kind="charge_shortfall")
    for one in sent.exclude(holds_from__gt=last):
        period = max(start for start in starts if start <= one.effective_on)
        following = min((start for start in starts if start > one.effective_on), default=one.effective_on)
        dates = {one.effective_on, following} if one.kind == "change_quantity" else {one.effective_on}
        assert one.holds_from in ({max(period, history.begins)} if one.kind == "change_price" else dates), one


def nothing_was_applied_twice(history):
    requests = history.requests()
    applied = [requests[pk] for pk in Write.objects.filter(state="applied", kind="adjust").values_list("pk", flat=True)]
    assert len(applied) == len(history.psa.applied)
    assert all(any(one is other for other in history.psa.applied) for one in applied)


def charges_bill_what_was_missing(history):
    made = {one.key: one.amount for one in history.psa.charges}
    assert len(made) == len(history.psa.charges)
    done = SyncOperation.objects.filter(kind="charge_shortfall", state="succeeded")
    assert made == {one.payload["key"]: sum(gap.amount for gap in one.settles.all()) for one in done}


def everything_is_over():
    left = SyncOperation.objects.exclude(state__in=SyncOperation.FINAL).exclude(error_kind=BEYOND)
    assert not left, [(one.kind, one.state, one.error) for one in left]
    assert not Write.objects.filter(state__in=Write.UNPROVED)
    assert not Stream.objects.exclude(due=None)
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None)
