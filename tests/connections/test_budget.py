"""How many requests may be on their way at once."""

import threading

import pytest

from connections.budget import ProcessBudget, budget_for
from portal.far_side import Unavailable


def test_no_more_than_three_are_on_their_way_per_entity():
    budget = ProcessBudget(longest_wait_s=0.01)
    with budget.slot("Companies"), budget.slot("companies"), budget.slot("Companies"):
        with pytest.raises(Unavailable, match="Nothing was sent"), budget.slot("Companies"):
            pass
        with budget.slot("Contracts"):
            pass
    with budget.slot("Companies"):
        pass


def test_a_place_is_given_back_when_the_request_fails():
    budget = ProcessBudget(at_once=1, longest_wait_s=0.01)
    with pytest.raises(OSError, match="lost"), budget.slot("Companies"):
        raise OSError("lost")
    with budget.slot("Companies"):
        pass


def test_who_waits_goes_on_when_a_place_becomes_free():
    budget = ProcessBudget(at_once=1, longest_wait_s=5)
    inside, went_on = threading.Event(), threading.Event()

    def wait():
        inside.set()
        with budget.slot("Companies"):
            went_on.set()

    with budget.slot("Companies"):
        thread = threading.Thread(target=wait)
        thread.start()
        assert inside.wait(5)
        assert not went_on.is_set()
    thread.join()
    assert went_on.is_set()


def test_connections_with_the_same_credentials_share_their_places():
    assert budget_for("one") is budget_for("one")
    assert budget_for("one") is not budget_for("two")
