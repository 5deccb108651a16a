"""The steps behind the test: they work on a draft, which only a passed test makes."""

from dataclasses import asdict
from datetime import timedelta
from uuid import uuid4

import pytest

from connections import actions, setup, tasks
from connections.models import Connection, ConnectionSecret, MirrorRefresh
from connections.policies import Policies
from connections.psa.types import ProbeResult
from connections.refusals import Refused
from portal.audit import Actor
from portal.models import AuditEntry
from tests.connections.conftest import NOW, SECRETS, a_trial, make_connection

KEY = uuid4()
NAMED = {"name": "Autotask EUR", "currency": "EUR"}
DEFAULTS = {"seen": Policies().fingerprint()} | asdict(Policies())


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


def begin(cast, key=KEY, secrets=SECRETS, organization=None, passed=True, currencies=("EUR", "USD"), now=NOW):
    trial = a_trial(ProbeResult("Read companies", passed), secrets=secrets, currencies=list(currencies))
    settings = {"user_name": "api@example.com"}
    asked = {"kind": "autotask", "settings": settings, "trial": trial, "key": key, "now": now}
    return setup.begin_connection(organization or cast.csp, actor=Actor.user(cast.admin), **asked)


@pytest.fixture
def draft(cast):
    return begin(cast)


def step(draft, name=""):
    return f"/connections/{draft.pk}/set-up/{name}"


def test_the_steps_end_with_a_connection_that_reads_its_data(admin, draft):
    assert admin.get(step(draft)).status_code == 200
    on = admin.post(step(draft), NAMED)["Location"]
    assert on == step(draft, "policies/")
    assert b"seat_increase" in admin.get(on).content
    ready = admin.post(on, DEFAULTS | {"renewal": "extend"})["Location"]
    assert ready == f"/connections/{draft.pk}/ready/"
    draft.refresh_from_db()
    assert (draft.state, draft.name, draft.policies_json) == ("active", "Autotask EUR", {"renewal": "extend"})
    assert MirrorRefresh.objects.get().state == "running"
    page = admin.get(ready).content.decode()
    assert "Sync to Connection" in page
    assert 'hx-trigger="every 2s"' in page
    assert [entry.name for entry in AuditEntry.objects.order_by("pk")] == [
        "Begin Connection",
        "Describe Connection",
        "Create Connection",
    ]


def test_no_step_opens_without_a_passed_test(cast):
    with pytest.raises(Refused):
        begin(cast, passed=False)
    assert not Connection.objects.exists()
    assert not ConnectionSecret.objects.exists()


@pytest.mark.parametrize("name", ["", "policies/", "discard/"])
def test_the_steps_of_a_strangers_draft_are_not_there(as_user, cast, draft, name):
    for person in (cast.stranger, cast.reseller_admin):
        client = as_user(person)
        assert {client.get(step(draft, name)).status_code, client.post(step(draft, name)).status_code} <= {404, 405}
    assert as_user(cast.stranger).get(f"/connections/new/autotask/?draft={draft.pk}").status_code == 404


@pytest.mark.parametrize("name", ["", "policies/", "discard/"])
def test_only_administrators_set_up(as_user, cast, draft, name):
    client = as_user(cast.billing)
    assert {client.get(step(draft, name)).status_code, client.post(step(draft, name)).status_code} <= {403, 405}


def test_the_last_page_is_for_administrators_of_ones_own_organization_once_it_is_set_up(as_user, cast, draft):
    ready = f"/connections/{draft.pk}/ready/"
    assert as_user(cast.admin).get(ready).status_code == 404
    Connection.objects.update(state="active", name="A", currency="EUR")
    people = (cast.admin, cast.billing, cast.stranger, cast.reseller_admin)
    assert [as_user(person).get(ready).status_code for person in people] == [200, 403, 404, 404]


def test_nothing_secret_stands_on_a_page_or_in_the_session(admin, draft):
    admin.post(step(draft), NAMED)
    pages = [step(draft), step(draft, "policies/"), f"/connections/new/autotask/?draft={draft.pk}"]
    seen = " ".join(admin.get(page).content.decode() for page in pages) + str(dict(admin.session.items()))
    assert "api@example.com" in seen
    assert SECRETS["integration_code"] not in seen
    assert 'value="right"' not in seen


def test_the_policies_wait_for_name_and_currency(admin, draft):
    assert admin.get(step(draft, "policies/"))["Location"] == step(draft)
    with pytest.raises(Refused):
        setup.finish_connection(draft, policies=Policies(), actor=Actor.system("test"), now=NOW)


@pytest.mark.parametrize("wrong", [{"name": ""}, {"currency": "CHF"}, {"name": "taken"}])
def test_a_name_or_currency_that_does_not_fit_is_said(admin, cast, draft, wrong):
    make_connection(cast.csp, "Taken")
    response = admin.post(step(draft), NAMED | wrong)
    assert (response.status_code, b"field--wrong" in response.content) == (422, True)
    assert admin.post(step(draft, "policies/"), DEFAULTS)["Location"] == step(draft)


def test_a_policy_that_is_not_known_is_said(admin, draft):
    admin.post(step(draft), NAMED)
    assert admin.post(step(draft, "policies/"), DEFAULTS | {"renewal": "guess"}).status_code == 422


def test_another_currency_than_the_base_is_warned_of(admin, draft):
    admin.post(step(draft), NAMED | {"currency": "USD"})
    assert "USD is not the base currency" in admin.get(step(draft, "policies/")).content.decode()


def test_the_last_click_twice_makes_one_connection_and_the_steps_lead_to_it(admin, draft):
    admin.post(step(draft), NAMED)
    ready = f"/connections/{draft.pk}/ready/"
    assert [admin.post(step(draft, "policies/"), DEFAULTS)["Location"] for _ in range(2)] == [ready, ready]
    assert admin.get(step(draft))["Location"] == ready
    assert AuditEntry.objects.filter(name="Create Connection").count() == 1
    with pytest.raises(Refused):
        setup.describe_connection(draft, name="Other", currency="USD", actor=Actor.system("test"), now=NOW)


def test_credentials_sent_again_go_to_the_same_draft(admin, cast, draft):
    admin.post(step(draft), NAMED | {"currency": "USD"})
    again = begin(cast, secrets={"secret": "newer", "integration_code": "CODE"}, currencies=["EUR"])
    assert (again.pk, Connection.objects.count(), again.currency) == (draft.pk, 1, "")
    assert again.secrets.get(name="secret").reveal() == "newer"


def test_credentials_do_not_reach_a_connection_that_is_set_up_nor_a_strangers_draft(cast, draft):
    with pytest.raises(Refused):
        begin(cast, organization=cast.other_csp)
    Connection.objects.update(state="active")
    with pytest.raises(Refused):
        begin(cast, secrets={"secret": "newer", "integration_code": "CODE"})
    assert draft.secrets.get(name="secret").reveal() == "right"


def test_the_credentials_form_sent_again_after_the_end_leads_to_the_connection(admin, draft):
    Connection.objects.update(state="active")
    typed = {"key": str(KEY), "user_name": "api@example.com", **SECRETS}
    assert admin.post("/connections/new/autotask/", typed)["Location"] == f"/connections/{draft.pk}/"


def test_a_name_taken_meanwhile_leads_back_to_the_name(admin, cast, draft):
    admin.post(step(draft), NAMED)
    make_connection(cast.csp, "Autotask EUR")
    assert admin.post(step(draft, "policies/"), DEFAULTS)["Location"] == step(draft)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_two_drafts_stand_beside_each_other_and_take_no_name(cast, draft):
    assert begin(cast, key=uuid4()).pk != draft.pk
    make_connection(cast.csp, "")


def test_a_draft_is_discarded_with_its_secrets(admin, draft):
    assert admin.get("/connections/").content.count(step(draft).encode()) == 1
    admin.post(step(draft, "discard/"))
    assert not Connection.objects.exists()
    assert not ConnectionSecret.objects.exists()
    assert AuditEntry.objects.filter(name="Discard Connection").exists()


def test_a_draft_is_not_resumed_tested_or_retired_around_the_steps(admin, draft):
    for button in ("test", "resume", "pause", "retire", "rename", "credentials", "policies"):
        assert admin.post(f"/connections/{draft.pk}/{button}/").status_code == 404
    with pytest.raises(Refused):
        actions.resume_connection(draft, actor=Actor.system("test"), now=NOW)


def test_a_draft_that_nobody_finishes_is_forgotten_after_a_day(cast, draft):
    make_connection(cast.csp, mirrored_at=NOW + timedelta(days=1), tested_at=NOW - timedelta(days=9))
    soon, later = NOW + timedelta(hours=23), NOW + timedelta(hours=25)
    assert (tasks.due(soon), tasks.sweep(soon)) == (False, 0)
    assert (tasks.due(later), tasks.sweep(later)) == (True, 1)
    assert Connection.objects.get().state == "active"
    assert AuditEntry.objects.latest("pk").actor_label == "system: not finished within a day"


def test_credentials_sent_twice_at_once_make_one_draft(cast, draft, monkeypatch):
    """The second transaction looked before the first had ended, so it tries to make the draft anew."""
    look, answers = setup._with_key, [Connection(organization=cast.csp, kind="autotask", key=KEY)]
    monkeypatch.setattr(setup, "_with_key", lambda *asked: answers.pop() if answers else look(*asked))
    assert begin(cast).pk == draft.pk
    assert (Connection.objects.count(), ConnectionSecret.objects.count()) == (1, 2)
