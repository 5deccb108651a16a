"""Places that one thread of a process hands to the next, and requests that are counted ahead for it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from connections import budget as budgets
from connections import turns
from connections.budget import MOST_AHEAD, CountDue, OverBudget, SharedBudget
from connections.models import RequestBudget, RequestSlot
from connections.turns import line_of
from connections.usage import Counted

NOW = datetime(2026, 5, 15, 12, 0, 30, tzinfo=UTC)
ADJUSTMENTS = "ContractServiceAdjustments"


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def people(cast, clock):
    return SharedBudget(cast.csp.pk, "one", clock=clock, longest_wait_s=0.05)


@pytest.fixture
def bulk(cast, clock):
    budget = SharedBudget(cast.csp.pk, "one", bulk=True, clock=clock, longest_wait_s=0.05)
    budget.learn(Counted(10_000, 60, 0))
    return budget


@pytest.fixture
def one_after_the_other(bulk, monkeypatch):
    """Two threads of a process, played by one: `first` ends its request while `second` is in line."""
    me = [1]
    monkeypatch.setattr(turns.threading, "get_ident", lambda: me[0])

    def play(meanwhile=lambda: None, request=lambda: None):
        me[0] = 2
        with bulk.in_line(ADJUSTMENTS):
            me[0] = 1
            with bulk.places(ADJUSTMENTS):
                pass
            me[0] = 2
            meanwhile()
            with bulk.places(ADJUSTMENTS):
                request()

    return play


def held():
    return RequestSlot.objects.exclude(token="").count()


def counted():
    return sum(RequestBudget.objects.get().minutes.values())


def test_a_place_goes_to_the_next_in_line(one_after_the_other):
    tokens = []

    def note():
        tokens.append(RequestSlot.objects.exclude(token="").values_list("token", flat=True).get())

    one_after_the_other(meanwhile=note, request=note)
    assert tokens[0] == tokens[1]
    assert (held(), counted()) == (0, 2)


def test_what_was_counted_ahead_is_given_back(one_after_the_other):
    most = []
    one_after_the_other(request=lambda: most.append(counted()))
    assert most == [1 + MOST_AHEAD]
    assert counted() == 2


def test_without_anybody_in_line_nothing_is_kept_or_counted_ahead(bulk):
    with bulk.places(ADJUSTMENTS):
        assert counted() == 1
    assert held() == 0


def test_a_person_who_waits_has_the_place_before_the_next_in_line(one_after_the_other, people, bulk):
    others = [people.places(ADJUSTMENTS) for _ in range(2)]
    for one in others:
        one.__enter__()

    def person():
        with pytest.raises(OverBudget), people.places(ADJUSTMENTS):
            pass

    with pytest.raises(OverBudget, match="on their way already"):
        one_after_the_other(meanwhile=person)
    assert held() == 2
    with people.places(ADJUSTMENTS):
        assert held() == 3
    for one in others:
        one.__exit__(None, None, None)


def test_a_refusal_of_the_far_side_stops_the_next_in_line(one_after_the_other, people):
    with pytest.raises(OverBudget, match="refused to take more"):
        one_after_the_other(meanwhile=lambda: people.block(60))
    assert (held(), counted()) == (0, 1)


def test_a_turn_is_looked_at_anew_when_its_time_is_over(one_after_the_other, monkeypatch, clock):
    monkeypatch.setattr(budgets, "HOLD_S", -1.0)

    def due():
        clock.now += timedelta(minutes=6)

    with pytest.raises(CountDue):
        one_after_the_other(meanwhile=due)
    assert (held(), counted()) == (0, 1)


def test_near_the_end_of_the_share_every_request_is_counted_alone(one_after_the_other):
    RequestBudget.objects.update(limit=100)
    one_after_the_other()
    seen = []
    one_after_the_other(request=lambda: seen.append(counted()))
    assert seen == [4]


def test_what_is_counted_ahead_is_no_request_of_others(one_after_the_other, people):
    one_after_the_other(request=lambda: people.learn(Counted(10_000, 60, 2)))
    assert people.usage().others == 0
    one_after_the_other(request=lambda: people.learn(Counted(10_000, 60, 14)))
    assert people.usage().others == 10


def test_what_is_counted_ahead_never_leaves_the_hour_before_it_is_made(one_after_the_other, clock):
    clock.now = NOW.replace(second=59)
    one_after_the_other()
    (minute,) = [minute for minute, count in RequestBudget.objects.get().minutes.items() if count]
    assert int(minute) * 60 == (clock.now + timedelta(seconds=1)).timestamp()


def test_who_leaves_the_line_without_a_request_gives_back_what_was_kept(bulk, monkeypatch):
    me = [2]
    monkeypatch.setattr(turns.threading, "get_ident", lambda: me[0])
    with bulk.in_line(ADJUSTMENTS):
        me[0] = 1
        with bulk.places(ADJUSTMENTS):
            pass
        assert held() == 1
        me[0] = 2
    assert (held(), counted()) == (0, 1)


def test_a_place_that_somebody_else_took_meanwhile_is_not_used(one_after_the_other):
    def frozen():
        RequestSlot.objects.update(token="another", lease_until=NOW + timedelta(minutes=1))

    with pytest.raises(OverBudget):
        one_after_the_other(meanwhile=frozen)
    assert set(RequestSlot.objects.values_list("token", flat=True)) == {"another"}


def test_a_child_of_the_process_has_lines_of_its_own(monkeypatch):
    mine = line_of("a budget", "kind")
    assert line_of("a budget", "kind") is mine
    monkeypatch.setattr(turns.os, "getpid", lambda: -1)
    assert line_of("a budget", "kind") is not mine


def test_many_threads_never_keep_more_turns_than_wait_for_them():
    line, most = line_of("many", "kind"), []

    def take_part():
        for _ in range(200):
            line.join()
            turn = line.taken() or turns.Turn("token", 1, 5, 0, float("inf"))
            if line.keep(turn):
                most.append(len(line._kept) <= 8)
            line.leave()

    threads = [threading.Thread(target=take_part) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(most)
    assert (line._waiting, line._kept) == (set(), [])
