"""An operation never waits silently: whatever is not final is in the inbox, or is looked at again."""

import random
from datetime import date, timedelta

import pytest

from connections.models import Connection
from syncops import tasks
from syncops.actions import NotPossible, dismiss_operation, retry_operation, sync_now
from syncops.models import SyncOperation
from tests.fake_psa import FAULTS
from tests.syncops.desk import TODAY

OPEN, STUCK = SyncOperation.OPEN, SyncOperation.NEEDS_A_PERSON
STATES = ["active", "paused", "unauthorized"]


def silent():
    """Operations that are open while nothing would look at their line again."""
    return list(SyncOperation.objects.filter(state__in=OPEN, stream__due__isnull=True))


def decide(desk, what):
    """A person does something about the first operation that waits for one."""
    operation = SyncOperation.objects.filter(state__in=STUCK).order_by("pk").first()
    person = {"actor": desk.cast.admin, "now": desk.clock.now}
    try:
        if what == "sync":
            sync_now(desk.subscription.mappings.get(ends_on=None), **person)
        elif operation is not None and what == "retry":
            retry_operation(operation, **person)
        elif operation is not None:
            dismiss_operation(operation, reason="Not wanted.", **person)
    except NotPossible:
        pass


def take(desk, step):
    verb, value = step
    if verb == "change":
        desk.change_quantity(value, TODAY + timedelta(days=value % 5))
    elif verb == "fault":
        desk.psa.fail_next("adjust", value)
    elif verb == "edit":
        desk.psa.edit(desk.line, date(2026, 5, 11), value)
    elif verb == "state":
        Connection.objects.filter(pk=desk.connection.pk).update(state=value)
    elif verb == "policy":
        desk.decide(after_failure=value)
    elif verb == "person":
        decide(desk, value)
    else:
        desk.clock.wait(value)
    desk.drain()


def steps_of(seed):
    """Fifteen things that people, Microsoft and Autotask do, by chance."""
    dice = random.Random(seed)
    choices = {
        "change": range(1, 30),
        "fault": sorted(FAULTS),
        "edit": range(1, 30),
        "state": STATES,
        "policy": ["continue", "hold_line"],
        "person": ["sync", "retry", "dismiss"],
        "wait": [1, 60, 400, 4000],
    }
    verbs = dice.choices(list(choices), weights=[4, 3, 1, 2, 1, 3, 3], k=15)
    return [(verb, dice.choice(choices[verb])) for verb in verbs]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_it_is_in_the_inbox_or_looked_at_again(mapped, seed):
    for step in steps_of(seed):
        take(mapped, step)
        assert silent() == [], step


@pytest.mark.parametrize("state", STATES)
def test_the_sweep_wakes_what_was_forgotten_all_the_same(mapped, state):
    """Also where a row was damaged by hand."""
    Connection.objects.filter(pk=mapped.connection.pk).update(state=state)
    mapped.change_quantity(12)
    SyncOperation.objects.get(kind="change_quantity").stream.__class__.objects.update(due=None)
    assert len(silent()) == 1
    assert tasks.sweep_everything(mapped.clock.now).forgotten == 1
    assert silent() == []
