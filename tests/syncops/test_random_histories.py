"""Whatever happened to a subscription: in the end its line shows what was recorded, and the customer's bill is the one
that follows from the changes, less exactly the recorded shortfalls. The real client, the stand-in's own ledger.

RANDOM_HISTORIES=5000 plays more of them (`make torture`); HISTORY=17 plays one, and tells its shortest story.
"""

import os
from collections import Counter

import pytest
from django.core.cache import cache
from django.db import transaction

from connections import http, registry
from tests.connections.far_sides import Unlimited
from tests.histories.checks import all_is_as_told, contents_of
from tests.histories.coverage import missing_from
from tests.histories.far_side import FarSide, Wire
from tests.histories.play import History
from tests.histories.world import KEY

ONE = os.environ.get("HISTORY")
FIXED = range(175)
MANY = range(int(os.environ.get("RANDOM_HISTORIES", len(FIXED))))
CHUNK = 25
CHUNKS = [[int(ONE)]] if ONE else [list(MANY[first : first + CHUNK]) for first in range(0, len(MANY), CHUNK)]
SEEN: Counter[str] = Counter()
pytestmark = pytest.mark.xdist_group("histories")  # what all of them contained is counted in one process


@pytest.fixture
def far_side(tmp_path, settings, monkeypatch):
    """The stand-in, and the way to it; nobody is woken, because the tests say when a worker comes."""
    far_side = FarSide(tmp_path)
    settings.AUTOTASK_ZONE_URL = f"{far_side.url}/atservicesrest/v1.0/zoneInformation"
    monkeypatch.setattr("django_q.tasks.async_task", lambda *task: None)
    http.session_for(str(KEY)).mount(far_side.url, Wire(far_side))
    yield far_side
    cache.clear()
    far_side.stop()


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_histories_end_as_they_were_told(cast, far_side, monkeypatch, seeds):
    failed = []
    for seed in seeds:
        with monkeypatch.context() as patched:
            if seed % 4:  # each fourth counts its requests as in production, which is a seventh of its time
                patched.setattr(registry, "_budget", lambda *about, **how: Unlimited())
            history, error = play(cast, far_side, seed)
            if error is not None:
                story = shortest(cast, far_side, seed, history) if ONE else history.world.story
                error.add_note("\n".join([f"Play it again with HISTORY={seed}. What happened:", *story]))
                failed.append(error)
    if failed:
        raise ExceptionGroup("not as they were told", failed)


def test_the_histories_contain_everything():
    """Each kind of change, each policy, each fault, each step that one can strike, in those that are always played."""
    if SEEN["played"] < len(FIXED) or ONE:
        pytest.skip(f"{SEEN['played']} of {len(FIXED)} histories were played: run all of this file")
    assert not (missing := missing_from(SEEN)), f"none of the histories contains: {', '.join(missing)}"


def play(cast, far_side, seed, leave_out=frozenset()):
    """A history and what failed in the end; nothing of it stays."""
    alone = transaction.atomic()
    alone._from_testcase = True  # as in production, where a request is counted in a transaction of its own
    with alone:
        history, error = History(cast, far_side, seed, leave_out), None
        try:
            history.play()
            history.mend()
            all_is_as_told(history)
            SEEN.update(contents_of(history))
            SEEN["played"] += 1
        except Exception as found:
            error = found
        transaction.set_rollback(True)
    return history, error


def shortest(cast, far_side, seed, history):
    """The story with every event left out that the failure does not need."""
    without = set()
    for number in reversed(range(history.events)):
        shorter, error = play(cast, far_side, seed, frozenset(without | {number}))
        if error is not None:
            without.add(number)
            history = shorter
    return history.world.story
