"""What Sync to Connection refuses: what is not theirs, what is not eligible, and a far side that does not answer."""

from datetime import date

import pytest

from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from portal.models import AuditEntry
from syncops.models import SyncOperation
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import a_company, a_contract, a_service
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row
from tests.syncops.flow import Flow, make_flow

TRIGGER = "Trigger Subscription Mapping To Connection"


@pytest.fixture
def flow(desk, client, monkeypatch, time_machine) -> Flow:
    return make_flow(desk, client, monkeypatch, time_machine)


def nothing_written():
    kept = (SyncOperation, SubscriptionMapping, CustomerMapping, OfferMapping)
    return not any(model.objects.exists() for model in kept)


def refusal():
    entry = AuditEntry.objects.get(name=TRIGGER)
    assert entry.status == "failed"
    return entry


@pytest.mark.parametrize("step", ["preview", "confirm"])
@pytest.mark.parametrize("forged", ["company", "service", "contract"])
def test_a_row_of_another_tenants_connection_is_not_found_and_the_attempt_is_kept(flow: Flow, cast, step, forged):
    theirs = make_connection(cast.other_csp, "Theirs")
    company_row(theirs, 900), service_row(theirs, 900), contract_row(theirs, 900, company_remote_id=900)
    answer = getattr(flow, step)(**{forged: 900})
    assert answer.status_code == 404
    assert nothing_written()
    assert not flow.psa.calls
    assert refusal().asked[forged] == "900"
    assert f"The {forged} 900" in refusal().answered["reasons"][0]["text"]


@pytest.mark.parametrize("step", ["preview", "confirm"])
@pytest.mark.parametrize("connection", ["theirs", "missing", "nonsense"])
def test_a_connection_of_another_tenant_is_not_found(flow: Flow, cast, step, connection):
    posted = {"theirs": make_connection(cast.other_csp, "Theirs").pk, "missing": None, "nonsense": "1; drop"}
    assert getattr(flow, step)(connection=posted[connection]).status_code == 404
    assert nothing_written()
    assert refusal().subscription == flow.subscription


@pytest.mark.parametrize("owner", ["reseller", "other_csp"])
def test_a_subscription_that_another_organization_bills_is_not_found(flow: Flow, cast, owner):
    organization = getattr(cast, owner)
    other = make_subscription(make_customer(organization, "Northwind"), make_variant(cast.other_csp, "Visio"))
    flow.desk.subscription = other
    assert flow.fields().status_code == flow.preview().status_code == flow.confirm().status_code == 404
    assert nothing_written()
    assert {entry.organization for entry in AuditEntry.objects.filter(name=TRIGGER)} == {cast.csp}


@pytest.mark.parametrize("step", ["preview", "confirm"])
@pytest.mark.parametrize(
    ("psa_row", "says"),
    [
        (a_contract(is_active=False), "is inactive."),
        (a_contract(starts_on=date(2026, 5, 10)), "it must start before the subscription was created on 10 May 2026"),
        (a_contract(period="quarterly"), "has the period type Quarterly"),
    ],
)
def test_an_ineligible_contract_is_refused_with_its_reason(flow: Flow, step, psa_row, says):
    flow.psa.put_contract(psa_row)
    answer = getattr(flow, step)()
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert 'name="contract" value="100" checked' in answer.content.decode()
    assert nothing_written()
    assert says in refusal().answered["reasons"][0]["text"]


def test_a_service_of_the_wrong_period_is_refused(flow: Flow):
    service_row(flow.connection, 11, "Basic, yearly", period="yearly")
    flow.psa._services[11] = a_service(11, "Basic, yearly", period="yearly")
    answer = flow.confirm(service=11)
    assert answer.status_code == 422
    assert "Basic, yearly has the period type Yearly" in answer.content.decode()
    assert nothing_written()


def test_the_owners_own_company_is_refused(flow: Flow):
    company_row(flow.connection, 0, "Alder Cloud")
    flow.psa._companies[0] = a_company(0, "Alder Cloud")
    answer = flow.confirm(company=0)
    assert answer.status_code == 422
    assert "is your own company" in answer.content.decode()


@pytest.mark.parametrize("missing", ["company", "service", "contract"])
def test_a_field_that_is_not_chosen_is_asked_for_and_the_others_are_kept(flow: Flow, missing):
    contract_row(flow.connection, 101, "Second")
    answer = flow.preview(**{missing: None})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose the" in html
    kept = {"company": 1, "service": 10, "contract": 100}
    assert all(f'name="{name}" value="{value}" checked' in html for name, value in kept.items() if name != missing)


@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_a_far_side_that_does_not_answer_loses_nothing_that_was_chosen(flow: Flow, step):
    contract_row(flow.connection, 101, "Second")
    flow.psa.fail_next("contract", "unavailable")
    answer = getattr(flow, step)(contract=101, line="beside")
    html = answer.content.decode()
    assert answer.status_code == 503
    assert "The PSA does not answer." in html
    assert 'name="contract" value="101" checked' in html
    assert 'name="line" value="beside"' in html
    assert nothing_written()


def test_refused_credentials_stop_the_connection_and_are_not_tried_again(flow: Flow):
    flow.psa.fail_next("contract", "unauthorized")
    assert "refuses the credentials" in flow.preview().content.decode()
    flow.connection.refresh_from_db()
    assert flow.connection.state == "unauthorized"
    flow.psa.calls.clear()
    again = flow.preview()
    assert again.status_code == 503
    assert "sets new ones" in again.content.decode()
    assert not flow.psa.calls


def test_a_reader_may_neither_look_nor_confirm(flow: Flow, cast):
    flow.client.force_login(cast.reader)
    assert flow.fields().status_code == flow.preview().status_code == flow.confirm().status_code == 403


def test_confirming_is_a_post(flow: Flow):
    assert flow.client.get(flow.url("sync_confirm")).status_code == 405


def test_a_post_without_its_token_is_refused(flow: Flow, client):
    client.handler.enforce_csrf_checks = True
    assert flow.preview().status_code == flow.confirm().status_code == 403


def test_what_somebody_else_mapped_meanwhile_is_a_reason(flow: Flow, cast):
    from mappings.actions import map_customer
    from portal.audit import Actor
    from tests.syncops.desk import NOON

    other = make_customer(cast.csp, "Fabrikam")
    map_customer(connection=flow.connection, customer=other, company=a_company(), actor=Actor.user(cast.admin), at=NOON)
    answer = flow.confirm()
    assert answer.status_code == 422
    assert "mapped to the customer Fabrikam already" in answer.content.decode()
    assert SyncOperation.objects.count() == 0


def test_a_contract_that_is_gone_from_the_psa_is_a_reason(flow: Flow):
    contract_row(flow.connection, 101, "Second")
    answer = flow.confirm(contract=101)
    assert answer.status_code == 422
    assert "The contract is no longer in Autotask." in answer.content.decode()
