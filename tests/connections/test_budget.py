"""The places and the counts that all processes share."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from connections.budget import CountDue, OverBudget, SharedBudget
from connections.models import RequestBudget, RequestSlot
from connections.usage import Counted

NOW = datetime(2026, 5, 15, 12, 0, 30, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self):
        return self.now

    def wait(self, **time):
        self.now += timedelta(**time)


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


def ask(budget, times=1, entity="Companies"):
    for _ in range(times):
        with budget.places(entity):
            pass


def test_no_more_than_three_are_on_their_way_per_entity(people):
    with people.places("Companies"), people.places("companies"), people.places("Companies"):
        with pytest.raises(OverBudget, match="Nothing was sent"), people.places("Companies"):
            pass
        ask(people, entity="Contracts")
    ask(people)
    assert people.usage().ours == 5


def test_a_place_is_given_back_when_the_request_fails(people):
    for _ in range(4):
        with pytest.raises(OSError, match="lost"), people.places("Companies"):
            raise OSError("lost")
    assert not RequestSlot.objects.exclude(token="").exists()


def test_the_places_of_a_killed_process_come_back_when_their_lease_is_over(people, clock):
    held = [people.places("Companies") for _ in range(3)]
    for one in held:
        one.__enter__()
    clock.wait(seconds=141)
    with pytest.raises(OverBudget):
        ask(people)
    clock.wait(seconds=2)
    with people.places("Companies"):
        for one in held:  # the dead come back late: they free nothing that is not theirs
            one.__exit__(None, None, None)
        assert RequestSlot.objects.exclude(token="").count() == 1


def test_credentials_share_a_budget_within_their_organization_alone(people, cast, clock):
    ask(people, 3)
    same = SharedBudget(cast.csp.pk, "one", clock=clock)
    other_key = SharedBudget(cast.csp.pk, "two", clock=clock)
    stranger = SharedBudget(cast.other_csp.pk, "one", clock=clock)
    assert [one.usage().ours for one in (same, other_key, stranger)] == [3, 0, 0]
    assert RequestBudget.objects.for_user(cast.stranger).count() == 0


def test_a_person_who_waits_has_the_next_place_before_bulk_work(people, bulk, clock):
    with people.places("Companies"), people.places("Companies"):
        with people.places("Companies"), pytest.raises(OverBudget):
            ask(people)
        with pytest.raises(OverBudget):  # a place is free, and kept
            ask(bulk)
        ask(bulk, entity="Contracts")
        ask(people)
        clock.wait(seconds=2)
        ask(bulk)


def test_an_exhausted_share_refuses_people_and_bulk_work_with_the_time_when_it_goes_on(people, bulk, clock):
    RequestBudget.objects.update(share=5, limit=100)
    ask(bulk, 4)
    with pytest.raises(OverBudget, match="its part of the hourly share is used up, 4 of 4"):
        ask(bulk)
    ask(people)
    with pytest.raises(OverBudget, match="5 of 5") as refused:
        ask(people)
    assert refused.value.retry_after == 60 * 60 + 30
    clock.wait(seconds=refused.value.retry_after)
    ask(people)
    assert list(RequestBudget.objects.get().minutes.values()) == [1]


def test_the_count_is_asked_for_once_in_five_minutes_whoever_comes(cast, bulk, clock):
    ask(bulk)
    clock.wait(minutes=5)
    with pytest.raises(CountDue):
        ask(bulk)
    ask(bulk)  # the others need not wait for it
    clock.wait(minutes=4)
    ask(SharedBudget(cast.csp.pk, "one", bulk=True, clock=clock))


def test_who_comes_while_the_count_is_asked_for_waits_for_its_answer(cast, bulk, clock):
    bulk.learn(Counted(10_000, 60, 9_000))
    clock.wait(minutes=6)
    with pytest.raises(CountDue):
        ask(bulk)
    with pytest.raises(OverBudget, match="on their way already"):
        ask(bulk)
    bulk.learn(Counted(10_000, 60, 100))
    ask(bulk)
    bulk.learn(Counted(10_000, 60, 9_000))
    clock.wait(minutes=6)
    with pytest.raises(CountDue):
        ask(bulk)
    clock.wait(seconds=9)  # no answer came
    with pytest.raises(OverBudget):
        ask(bulk)


def test_people_are_never_sent_to_ask_for_the_count(people):
    ask(people)
    assert RequestBudget.objects.get().asked_at is None


def test_others_are_what_we_did_not_ask_and_never_less_than_none(people):
    ask(people, 5)
    people.learn(Counted(10_000, 60, 45))
    assert (people.usage().ours, people.usage().others) == (5, 40)
    people.learn(Counted(10_000, 60, 2))
    assert people.usage().others == 0


def test_over_three_quarters_bulk_work_waits_until_others_ask_less(people, bulk, clock):
    bulk.learn(Counted(10_000, 60, 7_600))
    with pytest.raises(OverBudget, match=r"Bulk work pauses: 7,600 of 10,000 .* 7,600 of them by others") as refused:
        ask(bulk)
    assert refused.value.retry_after == 300
    ask(people)
    clock.wait(minutes=5)
    with pytest.raises(CountDue):
        ask(bulk)
    with bulk.places("ThresholdInformation", counting=True):
        bulk.learn(Counted(10_000, 60, 1_000))
    ask(bulk)


def test_a_refusal_closes_the_budget_for_everybody_and_is_never_shortened(people, bulk, clock):
    people.block(60)
    people.block(5)
    for budget in (people, bulk):
        with pytest.raises(OverBudget, match="refused to take more") as refused:
            ask(budget)
        assert refused.value.retry_after == 60
    clock.wait(seconds=60)
    ask(people)


@pytest.mark.django_db(transaction=True)
def test_a_place_is_never_taken_inside_a_transaction(people):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        ask(people)
