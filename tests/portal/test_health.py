import pytest
from django.db import DatabaseError

from portal import queue
from portal.views import health


def test_healthz_needs_nothing(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content, response.headers["Content-Type"]) == (200, b"ok\n", "text/plain")


@pytest.fixture
def quiet(settings, tmp_path):
    """A data folder of its own, in which no worker has left a sign."""
    settings.DATA_DIR = tmp_path


def test_readyz_tells_how_many_wake_ups_wait_and_that_no_worker_came_round(client, db, quiet):
    queue.enqueue("portal.queue.beat")
    body = client.get("/readyz").json()
    assert body == {"ready": True, "database": True, "queue": {"waiting": 1, "last_beat_s": None, "late": True}}


def test_readyz_is_content_while_the_worker_comes_round(client, db, quiet):
    queue._note_beat()
    state = client.get("/readyz").json()["queue"]
    assert state["last_beat_s"] < 5
    assert state["late"] is False


@pytest.mark.parametrize(("busy", "late"), [(False, True), (True, False)])
def test_a_worker_that_is_busy_is_not_late(client, db, quiet, monkeypatch, busy, late):
    monkeypatch.setattr(health, "beat_age", lambda: health.LATE_S + 1.0)
    monkeypatch.setattr(health, "busy_now", lambda: busy)
    assert client.get("/readyz").json()["queue"]["late"] is late


def test_a_broker_that_does_not_answer_is_told_and_pages_go_on(client, db, quiet, monkeypatch):
    def refuse():
        raise ConnectionError("no broker")

    monkeypatch.setattr(health, "waiting_messages", refuse)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["queue"]["waiting"] is None


def test_readyz_is_503_without_its_database(client, monkeypatch):
    class Gone:
        def cursor(self):
            raise DatabaseError("gone")

    monkeypatch.setattr(health, "connection", Gone())
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "database": False, "queue": None})
