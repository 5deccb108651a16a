"""The page of a connection's policies: what it shows, keeps and refuses."""

from dataclasses import asdict

import pytest

from connections import actions, forms
from connections.models import Connection
from connections.policies import Policies
from connections.refusals import Refused
from portal.audit import Actor
from portal.models import AuditEntry
from tests.connections.conftest import NOW, make_connection


def address(connection):
    return f"/connections/{connection.pk}/policies/"


def typed(connection, **chosen):
    return {"seen": connection.policies.fingerprint()} | asdict(connection.policies) | chosen


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


def test_every_value_is_offered_with_a_sentence_and_an_example_in_money(admin, connection):
    page = admin.get(address(connection)).content.decode()
    assert page.count("<fieldset") == 17
    assert "Example: 10 seats at 5.00\xa0EUR, 12 from 10 May." in page
    assert "May 57.10\xa0EUR, June 60.00\xa0EUR." in page
    assert "Billed from the next period on." in page
    assert page.count("(default)") == 17


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("live", "Example: 10 seats at 5.00\xa0EUR, 12 from 10 May. May 57.10\xa0EUR, June 60.00\xa0EUR."),
        ("rehearse", "May 50.00\xa0EUR, June 50.00\xa0EUR, until it ends."),
    ],
)
def test_the_mode_is_told_with_what_it_means_in_money(admin, connection, mode, words):
    connection.mode = mode
    connection.save()
    page = admin.get(address(connection)).content.decode()
    assert f"Mode: {connection.get_mode_display()}</h2>" in page
    assert words in page.split('id="mode"')[1]


def test_what_is_chosen_is_kept_where_it_differs_and_audited(admin, cast, connection):
    response = admin.post(address(connection), typed(connection, renewal="extend", reactivation="restore"))
    assert response["Location"] == connection.get_absolute_url()
    assert Connection.objects.get().policies_json == {"renewal": "extend", "reactivation": "restore"}
    changed = AuditEntry.objects.get()
    assert (changed.name, changed.actor) == ("Change Connection Policies", cast.admin)
    assert changed.before == {"renewal": "refuse", "reactivation": "leave"}
    assert changed.after == {"renewal": "extend", "reactivation": "restore"}


def test_saving_twice_changes_and_says_it_once(admin, connection):
    admin.post(address(connection), typed(connection, settle_minutes="5"))
    connection.refresh_from_db()
    admin.post(address(connection), typed(connection, settle_minutes="5"))
    assert (AuditEntry.objects.count(), Connection.objects.get().policies.settle_minutes) == (1, 5)


@pytest.mark.parametrize("wrong", [{"renewal": "guess"}, {"settle_minutes": "-1"}, {"settle_minutes": "1441"}])
def test_a_value_that_is_not_known_is_refused_and_the_rest_stays_chosen(admin, connection, wrong):
    response = admin.post(address(connection), typed(connection, **{"seat_decrease": "next_period"} | wrong))
    assert (response.status_code, b"field--wrong" in response.content) == (422, True)
    assert response.context["form"]["seat_decrease"].value() == "next_period"
    assert Connection.objects.get().policies_json == {}


def test_a_choice_made_by_somebody_else_meanwhile_is_not_overwritten_unseen(admin, connection):
    mine = typed(connection, renewal="extend")
    Connection.objects.update(policies_json={"upgrade": "pair"})
    refused = admin.post(address(connection), mine)
    assert (refused.status_code, b"meanwhile" in refused.content) == (422, True)
    assert Connection.objects.get().policies_json == {"upgrade": "pair"}
    assert refused.context["form"]["renewal"].value() == "extend"
    again = mine | {"seen": refused.context["form"]["seen"].value()}
    assert admin.post(address(connection), again).status_code == 302
    assert Connection.objects.get().policies_json == {"renewal": "extend"}


def test_a_retired_connection_keeps_its_policies(cast, connection):
    Connection.objects.update(state="retired")
    with pytest.raises(Refused):
        actions.change_policies(connection, Policies(renewal="extend"), seen="", actor=Actor.user(cast.admin), now=NOW)


def test_only_a_psa_has_policies(admin, cast):
    assert admin.get(address(make_connection(cast.csp, "Microsoft", kind="partner_center"))).status_code == 404


@pytest.mark.parametrize(("name", "value"), [("azure_period", "following_month"), ("map_new_subscriptions", True)])
def test_what_nothing_acts_on_yet_is_shown_and_cannot_be_chosen(admin, connection, monkeypatch, name, value):
    monkeypatch.setattr(forms, "NOT_YET", frozenset({(name, value)}))
    assert f'name="{name}" value="{value}"' in admin.get(address(connection)).content.decode()
    refused = admin.post(address(connection), typed(connection, **{name: str(value)}))
    assert (refused.status_code, b"This is not available yet" in refused.content) == (422, True)
    Connection.objects.update(policies_json={name: value})
    connection.refresh_from_db()
    assert admin.post(address(connection), typed(connection, settle_minutes="5")).status_code == 302
    assert getattr(Connection.objects.get().policies, name) == value


def test_a_right_that_a_policy_needs_and_the_user_lacks_is_said_beside_it(admin, connection):
    lacks = {"need": "Change the end of contracts", "granted": False, "optional": True, "advice": "Without it nothing."}
    Connection.objects.update(probe=[lacks])
    for page in (address(connection), connection.get_absolute_url()):
        assert "Change the end of contracts" in admin.get(page).content.decode()
    assert "Enough for most policies" in admin.get(connection.get_absolute_url()).content.decode()
