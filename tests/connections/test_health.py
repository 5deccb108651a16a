"""How a connection is doing."""

from datetime import timedelta

import pytest

from connections.health import health_of, note_failure, note_success
from connections.models import Connection
from portal.far_side import Unavailable
from tests.connections.conftest import NOW

DOWN = Unavailable("Autotask does not answer.", "It is tried again.")
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(seconds=90)


def test_answers_are_noted_at_most_once_a_minute(connection, django_assert_num_queries):
    note_success(connection, now=NOW)
    with django_assert_num_queries(0):
        note_success(connection, now=SOON)
    assert Connection.objects.get().last_success_at == NOW
    note_success(connection, now=LATER)
    assert Connection.objects.get().last_success_at == LATER


def test_another_process_that_noted_it_is_not_overwritten(connection):
    other = Connection.objects.get()
    note_success(other, now=LATER)
    note_success(connection, now=LATER - timedelta(seconds=10))
    assert Connection.objects.get().last_success_at == LATER


def test_the_same_failure_is_noted_once_a_minute_and_another_one_at_once(connection, django_assert_num_queries):
    note_failure(connection, DOWN, now=NOW)
    with django_assert_num_queries(0):
        note_failure(connection, DOWN, now=SOON)
    note_failure(connection, Unavailable("Something else."), now=SOON)
    assert Connection.objects.get().last_failure == "Something else."


@pytest.mark.parametrize(
    ("fields", "tone", "text"),
    [
        ({}, "ok", "Active"),
        ({"last_failure_at": NOW, "last_failure": "Down."}, "warn", "Failing"),
        ({"last_failure_at": NOW, "last_success_at": LATER}, "ok", "Active"),
        ({"last_failure_at": LATER, "last_success_at": NOW, "last_failure": "Down."}, "warn", "Failing"),
        ({"mode": "rehearse"}, "info", "Rehearsal"),
        ({"state": "paused"}, "warn", "Paused"),
        ({"state": "draft"}, "info", "Not finished"),
        ({"state": "retired"}, "muted", "Retired"),
        ({"state": "unauthorized", "last_failure": "Refused."}, "bad", "Credentials refused"),
    ],
)
def test_the_state_is_said_in_words(fields, tone, text):
    health = health_of(Connection(**({"state": "active"} | fields)))
    assert (health.tone, health.text) == (tone, text)
    if tone in ("bad", "warn") and text != "Paused":
        assert health.detail == fields["last_failure"]
