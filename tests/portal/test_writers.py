"""The turn of a process's threads at a database that takes one writer."""

import threading

import pytest
from django.db import connection

from portal import writers
from portal.writers import Turns, in_turn

PATIENCE_S = 10


def waits(turns, done, name):
    """A thread that waits for its turn."""

    def wait():
        turns.take()
        done.append(name)
        turns.give()

    before = len(turns._waiting)
    thread = threading.Thread(target=wait)
    thread.start()
    while len(turns._waiting) == before:
        pass
    return thread


def test_the_turn_goes_to_whoever_has_waited_longest_even_where_its_owner_wants_it_again_at_once():
    turns, done = Turns(), []
    turns.take()
    turns.take()  # the owner never waits for itself
    threads = [waits(turns, done, name) for name in ("first", "second", "third")]
    turns.give()
    assert done == []
    turns.give()
    turns.take()
    done.append("again")
    turns.give()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert done == ["first", "second", "third", "again"]


def test_many_threads_are_never_in_turn_together():
    turns, inside, most = Turns(), [], []

    def work():
        for _ in range(100):
            turns.take()
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            turns.give()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert (len(most), max(most)) == (600, 1)


def test_an_error_gives_the_turn_on(db):
    with pytest.raises(ZeroDivisionError), in_turn():
        1 / 0  # noqa: B018
    assert writers._turns._owner is None


def test_where_rows_are_locked_nobody_waits(db, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(writers, "_turns", None)
    with in_turn():
        pass
