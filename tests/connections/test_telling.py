"""Mails about a connection's health: to whom, what they say, and each change once."""

from datetime import timedelta

import pytest
from django.core import mail
from django_q.models import OrmQ

from connections import actions, tasks, telling
from connections.health import note_failure, note_success
from connections.models import Connection
from portal.far_side import Unauthorized, Unavailable
from tests.cast import make_user
from tests.connections.conftest import NOW, make_connection

DOWN = Unavailable("Autotask does not answer.", "It is tried again.")
REFUSED = Unauthorized("Autotask refuses the secret.", "Set it again.")
MINUTE = timedelta(minutes=1)


def subjects():
    return [letter.subject for letter in mail.outbox]


def after(minutes):
    return NOW + minutes * MINUTE


def fails(connection, *minutes):
    for minute in minutes:
        note_failure(connection, DOWN, now=after(minute))


def test_refused_credentials_are_told_to_the_administrators_of_the_organization(cast, connection):
    make_user("gone@alder.example", cast.csp, "administrator")
    type(cast.admin).objects.filter(email="gone@alder.example").update(is_active=False)
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    assert OrmQ.objects.get().task["func"] == "connections.tasks.tell_administrators"
    tasks.tell_administrators(connection.pk)
    [letter] = mail.outbox
    assert letter.to == ["admin@alder.example"]
    assert letter.subject == "Autotask EUR: credentials refused, nothing is sent"
    assert "Set it again." in letter.body
    assert f"http://localhost:8000/connections/{connection.pk}/" in letter.body


def test_a_change_is_told_once_however_often_it_is_asked(connection):
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    assert [telling.tell(connection.pk, now=after(minutes)) for minutes in (0, 0, 60)] == [True, False, False]


def test_two_workers_at_once_send_one_mail(connection, monkeypatch):
    """The other one reads, mails and is through between this one's look and its word."""
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    word = telling._word

    def meanwhile(row):
        monkeypatch.setattr(telling, "_word", word)
        assert telling.tell(connection.pk, now=NOW)
        return word(row)

    monkeypatch.setattr(telling, "_word", meanwhile)
    assert not telling.tell(connection.pk, now=NOW)
    assert len(mail.outbox) == 1


def test_a_failure_is_told_once_it_lasts_and_its_end_too(cast, connection):
    fails(connection, 0, 5, 14)
    assert not telling.tell(connection.pk, now=after(14))
    fails(connection, 16, 30)
    assert telling.tell(connection.pk, now=after(31))
    assert not telling.tell(connection.pk, now=after(90))
    note_success(connection, now=after(91))
    assert telling.tell(connection.pk, now=after(91))
    assert not telling.tell(connection.pk, now=after(120))
    assert subjects() == ["Autotask EUR: no answer since 14:00", "Autotask EUR: it works again"]
    assert "Autotask does not answer." in mail.outbox[0].body


def test_an_answer_in_between_is_no_news(connection):
    fails(connection, 0, 10)
    note_success(connection, now=after(12))
    fails(connection, 13, 20)
    assert not telling.tell(connection.pk, now=after(21))
    assert Connection.objects.get().failing_since == after(13)


def test_an_answer_from_before_the_failure_does_not_end_it(connection):
    late = Connection.objects.get()
    fails(connection, 10)
    note_success(late, now=after(9))
    assert Connection.objects.get().failing_since == after(10)


def test_a_connection_that_goes_up_and_down_does_not_flood_the_mailbox(connection):
    for minute in range(120):
        fails(connection, minute)
        telling.tell(connection.pk, now=after(minute))
        if minute % 20 == 19:
            note_success(connection, now=after(minute))
    assert len(mail.outbox) <= 12


def test_a_passed_test_is_told_as_working_again(connection):
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    telling.tell(connection.pk, now=NOW)
    Connection.objects.update(state="paused")
    telling.tell(connection.pk, now=after(10))
    assert subjects()[1] == "Autotask EUR: it works again"
    assert "It is paused" in mail.outbox[1].body


def test_a_mail_that_cannot_be_sent_is_tried_again_after_a_while(connection, settings):
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    settings.EMAIL_BACKEND = "no.such.Backend"
    with pytest.raises(ImportError):
        telling.tell(connection.pk, now=NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert not telling.tell(connection.pk, now=after(1))
    assert telling.tell(connection.pk, now=after(6))
    assert len(mail.outbox) == 1


def test_the_sweep_finds_a_mail_whose_message_was_lost(connection):
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    OrmQ.objects.all().delete()
    assert tasks.sweep(NOW) == 1
    assert OrmQ.objects.get().task["func"] == "connections.tasks.tell_administrators"


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_nobody_is_told_about_what_is_not_in_use(cast, state):
    connection = make_connection(cast.csp, state=state, failing_since=NOW - timedelta(days=1))
    assert not telling.tell(connection.pk, now=NOW)
