"""The hands that write: each contract one at a time, several contracts at once, and no error lost."""

import threading
import time

import pytest

from syncops.crew import Crew

PATIENCE_S = 10


class Watch:
    """Counts who works on what at the same time."""

    def __init__(self):
        self.lock, self.running, self.done = threading.Lock(), [], []
        self.most, self.most_of_one = 0, 0

    def task(self, key, name, seconds=0.005):
        def work():
            with self.lock:
                self.running.append(key)
                self.most = max(self.most, len(self.running))
                self.most_of_one = max(self.most_of_one, self.running.count(key))
            time.sleep(seconds)
            with self.lock:
                self.running.remove(key)
                self.done.append((key, name))

        return key, work


def test_a_contract_has_one_hand_at_a_time_and_keeps_its_order():
    watch = Watch()
    with Crew(3) as crew:
        crew.do([watch.task(n % 4, n) for n in range(40)])
    assert (watch.most_of_one, len(watch.done)) == (1, 40)
    assert 1 < watch.most <= 6
    assert [name for key, name in watch.done if key == 1] == list(range(1, 40, 4))


def test_what_is_handed_in_later_waits_for_the_same_contract():
    watch = Watch()
    with Crew(3) as crew:
        first = crew.start([watch.task("contract", n) for n in range(5)])
        second = crew.start([watch.task("contract", n) for n in range(5, 10)])
        first.wait()
        second.wait()
    assert watch.most_of_one == 1
    assert [name for _, name in watch.done] == list(range(10))


def test_an_error_reaches_whoever_waits_and_the_other_tasks_are_done():
    watch = Watch()
    with Crew(3) as crew:
        work = crew.start([("bad", lambda: 1 / 0), *(watch.task(n, n) for n in range(6))])
        with pytest.raises(ZeroDivisionError):
            work.wait()
    assert len(watch.done) == 6


def test_a_drain_that_breaks_off_begins_nothing_more():
    watch, gate, begun = Watch(), threading.Event(), threading.Event()

    def held():
        begun.set()
        gate.wait(PATIENCE_S)

    def broken():
        with Crew(2) as crew:
            crew.start([("one", held), *(watch.task("one", n) for n in range(5))])
            begun.wait(PATIENCE_S)
            threading.Timer(0.05, gate.set).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert watch.done == []


def test_alone_everything_is_done_at_once_by_the_caller():
    names = []
    with Crew(1) as crew:
        crew.start((n % 2, lambda n=n: names.append((n, threading.current_thread().name))) for n in range(4))
        assert names == [(n, threading.current_thread().name) for n in range(4)]
