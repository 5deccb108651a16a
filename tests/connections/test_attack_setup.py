"""The same click from several browsers at once: one draft, one connection, one mail."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from django.core import mail
from django.db import connection as database
from django.db import connections as databases

from connections import actions, setup, telling
from connections.models import Connection, ConnectionSecret
from connections.policies import Policies
from connections.psa.types import ProbeResult
from connections.refusals import Refused
from portal.audit import Actor
from portal.far_side import Unauthorized
from portal.models import AuditEntry
from tests.cast import make_cast
from tests.connections.conftest import NOW, a_trial, make_connection
from tests.connections.test_setup import KEY

AT_ONCE = 6
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        database.vendor != "postgresql",
        reason="Rows are locked on PostgreSQL; SQLite has one writer. With TEST_POSTGRES_URL, make test runs it.",
    ),
]
ACTOR = Actor.system("attack")


def all_at_once(act):
    """What `act` gives, from several threads that begin together; Refused where it was refused."""
    gate = Barrier(AT_ONCE)

    def run(number):
        gate.wait()
        try:
            return act(number)
        except Refused:
            return Refused
        finally:
            databases.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def begin(organization, number=0):
    trial = a_trial(ProbeResult("Read companies", True), secrets={"secret": f"secret-{number}"}, currencies=["EUR"])
    return setup.begin_connection(
        organization, kind="autotask", settings={}, trial=trial, key=KEY, actor=ACTOR, now=NOW
    ).pk


def test_the_test_button_makes_one_draft_whose_secret_is_one_of_those_sent():
    csp = make_cast().csp
    assert len(set(all_at_once(lambda number: begin(csp, number)))) == 1
    assert Connection.objects.get().state == "draft"
    assert ConnectionSecret.objects.get().reveal().startswith("secret-")


def test_the_last_button_makes_one_connection():
    draft = Connection.objects.get(pk=begin(make_cast().csp))
    setup.describe_connection(draft, name="Autotask", currency="EUR", actor=ACTOR, now=NOW)

    def finish(number):
        mine = Connection.objects.get(pk=draft.pk)
        setup.finish_connection(mine, policies=Policies(), actor=ACTOR, now=NOW)

    assert sorted(map(str, all_at_once(finish))) == sorted(map(str, [None] + [Refused] * (AT_ONCE - 1)))
    assert AuditEntry.objects.filter(name="Create Connection").count() == 1


def test_one_finishes_while_another_discards_and_nothing_is_half_done():
    draft = Connection.objects.get(pk=begin(make_cast().csp))
    setup.describe_connection(draft, name="Autotask", currency="EUR", actor=ACTOR, now=NOW)

    def act(number):
        mine = Connection.objects.get(pk=draft.pk)
        if number % 2:
            setup.discard_connection(mine, actor=ACTOR, now=NOW)
        else:
            setup.finish_connection(mine, policies=Policies(), actor=ACTOR, now=NOW)

    with suppress(Connection.DoesNotExist):  # discarded before one even looked
        all_at_once(act)
    states = list(Connection.objects.values_list("state", flat=True))
    assert states in ([], ["active"])
    assert ConnectionSecret.objects.count() == len(states)


def test_two_people_change_the_policies_and_one_is_asked_to_look_again():
    connection = make_connection(make_cast().csp)
    seen = connection.policies.fingerprint()

    def change(number):
        chosen = Policies(settle_minutes=number + 1)
        actions.change_policies(Connection.objects.get(), chosen, seen=seen, actor=ACTOR, now=NOW)

    assert all_at_once(change).count(Refused) == AT_ONCE - 1
    assert AuditEntry.objects.filter(name="Change Connection Policies").count() == 1


def test_workers_send_one_mail():
    connection = make_connection(make_cast().csp)
    actions.mark_unauthorized(connection, Unauthorized("Refused."), now=NOW)
    assert all_at_once(lambda number: telling.tell(connection.pk, now=NOW)).count(True) == 1
    assert len(mail.outbox) == 1
