"""The supervisor while the database or the broker is away, and a worker that ends by itself."""

import pytest
from django.db import OperationalError

from portal import supervisor as module
from portal.supervisor import Intervals, Supervisor, work_until_idle


class Cluster:
    """A cluster that lives and says nothing."""

    pid = 1
    returncode = None

    def poll(self):
        return self.returncode


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def watched(monkeypatch, clock, settings, tmp_path):
    """A supervisor whose cluster lives, with a broker and a database that can be taken away."""
    settings.DATA_DIR = tmp_path
    supervisor = Supervisor(intervals=Intervals(), say=lambda text: None)
    supervisor.cluster, supervisor.started_at = Cluster(), clock[0]
    supervisor.away = ()
    supervisor.sent = []

    def ask(what):
        if what in supervisor.away:
            raise OperationalError("gone")
        supervisor.sent.append(what)
        return 0

    monkeypatch.setattr(module, "enqueue", lambda *args: ask("broker"))
    monkeypatch.setattr(module, "waiting_messages", lambda: ask("broker"))
    monkeypatch.setattr(module, "every_minutes", lambda *args: ask("database"))
    monkeypatch.setattr(module, "close_old_connections", lambda: None)
    monkeypatch.setattr(module, "workplaces", list)
    monkeypatch.setattr(module, "_has_children", lambda pid: True)
    monkeypatch.setattr(supervisor, "_kill", lambda: None)
    monkeypatch.setattr(supervisor, "_start", lambda: setattr(supervisor, "started_at", clock[0]))
    return supervisor


def look(supervisor, clock, seconds):
    for _ in range(int(seconds * 2)):
        clock[0] += 0.5
        supervisor.look()


def test_a_cluster_that_never_answers_is_replaced(watched, clock):
    look(watched, clock, 30)
    assert watched.restarts == 1


def test_a_cluster_is_not_replaced_because_the_database_is_away(watched, clock):
    watched.away = ("broker", "database")
    look(watched, clock, 300)
    assert watched.restarts == 0
    watched.away = ()
    look(watched, clock, 14)
    assert watched.restarts == 0
    look(watched, clock, 10)
    assert watched.restarts == 1  # it did not come to itself
    assert "database" in watched.sent


def test_a_database_that_is_away_at_the_start_does_not_end_the_supervisor(watched, clock):
    watched.away = ("database",)
    look(watched, clock, 5)
    watched.away = ()
    look(watched, clock, 1)
    assert watched.sent.count("database") == 1


def test_an_outage_is_told_once_a_minute_and_not_at_every_look(watched, clock, monkeypatch):
    told = []
    monkeypatch.setattr(module.log, "exception", lambda *args, **more: told.append(args))
    watched.away = ("broker", "database")
    look(watched, clock, 150)
    assert len(told) == 3


def test_a_cluster_that_ended_is_replaced_though_the_database_is_away(watched, clock):
    watched.away = ("broker", "database")
    watched.cluster.returncode = 0
    look(watched, clock, 0.5)
    assert watched.restarts == 1


def test_working_until_idle_waits_for_another_worker_without_turning_in_circles(monkeypatch, clock):
    slept = []

    class Place:
        @staticmethod
        def due(now):
            return True

        @staticmethod
        def work(now):
            """Somebody else is on it."""

    monkeypatch.setattr(module, "workplaces", lambda: [Place])
    monkeypatch.setattr(module.time, "sleep", lambda s: (slept.append(s), clock.__setitem__(0, clock[0] + s)))
    work_until_idle(at_most=5)
    assert 40 <= len(slept) <= 60
