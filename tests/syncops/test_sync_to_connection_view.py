"""Sync to Connection in the browser, from the button to the confirmed operation, without JavaScript."""

import pytest

from mappings.actions import map_customer, map_offer
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from portal.audit import Actor
from portal.models import AuditEntry, Subscription
from syncops.models import SyncOperation
from tests.fake_psa import a_company, a_service
from tests.mappings.mirror import company_row, contract_row, make_connection
from tests.syncops.desk import NOON
from tests.syncops.flow import Flow, make_flow

TRIGGER = "Trigger Subscription Mapping To Connection"


@pytest.fixture
def flow(desk, client, monkeypatch, time_machine) -> Flow:
    return make_flow(desk, client, monkeypatch, time_machine)


def test_one_connection_is_shown_and_not_asked_for(flow: Flow):
    html = flow.fields().content.decode()
    assert "Your only Autotask connection" in html
    assert 'name="company" value="1" checked' in html  # the same name
    assert 'name="service" value="10" checked' in html
    assert 'name="contract" value="100" checked' in html  # the only eligible one


def test_of_several_connections_one_is_chosen_first(flow: Flow, cast):
    make_connection(cast.csp, "Dollars", currency="USD")
    html = flow.fields().content.decode()
    assert "Confirm Sync" in html
    assert "is priced in EUR, the connection keeps USD" in html
    assert "Choose the company" not in html
    assert flow.fields(connection=flow.connection.pk).status_code == 200


def test_without_a_connection_the_page_says_what_to_do(flow: Flow, cast):
    flow.connection.state = "retired"
    flow.connection.save()
    assert "Connect Autotask" in flow.fields().content.decode()
    flow.client.force_login(cast.operations)
    assert "An administrator of Alder Cloud connects Autotask" in flow.fields().content.decode()


def test_what_is_mapped_is_filled_in(flow: Flow, cast):
    common = {"connection": flow.connection, "actor": Actor.user(cast.admin), "at": NOON}
    company_row(flow.connection, 2, "Somebody Else")
    map_customer(customer=flow.subscription.customer, company=a_company(2, "Somebody Else"), **common)
    map_offer(variant=flow.subscription.variant, service=a_service(), **common)
    html = flow.fields().content.decode()
    assert 'name="company" value="2" checked' in html
    assert 'name="company" value="1"' not in html
    assert "Contoso is mapped to it" in html


def test_searching_is_a_get_that_keeps_what_was_chosen(flow: Flow):
    contract_row(flow.connection, 101, "Second")
    page = flow.fields(connection=flow.connection.pk, company=1, contract=101, **{"service-q": "basic"})
    html = page.content.decode()
    assert 'name="contract" value="101" checked' in html
    assert 'name="service-q" value="basic"' in html
    assert "csrfmiddlewaretoken=" not in html


def test_the_preview_shows_what_would_be_written_and_billed_and_sends_nothing(flow: Flow):
    page = flow.preview()
    html = page.content.decode()
    assert page.status_code == 200
    assert "Customer mapping: Contoso is Contoso" in html
    assert "Contract line: Microsoft 365 Business Basic on Microsoft 365 (CSP)" in html
    assert "+10" in html
    assert "10\u00a0May\u00a02026" in html
    assert "This period" in html
    assert "Next period" in html
    assert SyncOperation.objects.count() == SubscriptionMapping.objects.count() == 0
    assert not flow.psa.applied


def test_confirming_maps_everything_and_queues_one_operation(flow: Flow):
    answer = flow.confirm()
    operation = SyncOperation.objects.get()
    assert (answer.status_code, answer.url) == (302, flow.url("sync_to_connection"))
    assert CustomerMapping.objects.get().company_id == 1
    assert OfferMapping.objects.get().service_id == 10
    assert operation.mapping.contract_id == 100
    assert operation.preview["adjustments"][0]["unit_change"] == 10
    assert AuditEntry.objects.get(name=TRIGGER).status == "in_progress"
    html = flow.fields().content.decode()
    assert "It runs in the background" in html
    assert flow.url("mapping_state") in html


def test_a_double_click_on_confirm_is_one_operation(flow: Flow):
    first, second = flow.confirm(), flow.confirm()
    assert first.url == second.url == flow.url("sync_to_connection")
    assert SyncOperation.objects.count() == 1
    assert AuditEntry.objects.filter(name=TRIGGER).count() == 1


@pytest.mark.parametrize("overtaken_at", ["company", "contract", "lines_of"])
def test_a_confirmation_that_its_twin_overtakes_is_one_operation(flow: Flow, monkeypatch, overtaken_at):
    seen, read, twins = flow.preview().context["digest"], getattr(flow.psa, overtaken_at), []

    def meanwhile(*args):
        if not twins:
            twins.append(True)
            twins.append(flow.confirm(seen=seen))
        return read(*args)

    monkeypatch.setattr(flow.psa, overtaken_at, meanwhile)
    answer = flow.confirm(seen=seen)
    assert answer.url == twins[1].url == flow.url("sync_to_connection")
    assert SyncOperation.objects.count() == 1
    assert [entry.status for entry in AuditEntry.objects.filter(name=TRIGGER)] == ["in_progress"]


def test_another_choice_for_a_mapped_subscription_changes_nothing_and_says_so(flow: Flow):
    flow.confirm()
    contract_row(flow.connection, 101, "Second")
    answer = flow.confirm(contract=101)
    assert answer.status_code == 302
    assert "Nothing was changed" in flow.fields().content.decode()
    assert SubscriptionMapping.objects.get().contract_id == 100


def test_a_pending_subscription_can_be_mapped_and_is_told_to_wait(flow: Flow):
    Subscription.objects.filter(pk=flow.subscription.pk).update(status="pending", starts_on=None, external_id="")
    assert "sent to Autotask as soon as it is provisioned" in flow.fields().content.decode()
    assert "Microsoft is still provisioning" in flow.preview().content.decode()
    assert flow.confirm().status_code == 302
    assert SyncOperation.objects.get().state == "planned"
    assert "Microsoft is still provisioning this subscription" in flow.fields().content.decode()


@pytest.mark.parametrize("category", ["legacy", "perpetual", "azure_reservation"])
def test_what_cannot_be_mapped_says_why_and_offers_no_fields(flow: Flow, category):
    offer = flow.subscription.variant.offer
    offer.category = category
    offer.save()
    html = flow.fields().content.decode()
    assert "cannot be mapped on this connection" in html
    assert 'name="company"' not in html
    assert flow.confirm().status_code == 422


def test_the_preview_by_its_address_leads_back_to_the_choice(flow: Flow):
    answer = flow.client.get(flow.url("sync_preview"), {"connection": flow.connection.pk, "company": "1"})
    assert answer.url == f"{flow.url('sync_to_connection')}?connection={flow.connection.pk}&company=1"


def test_what_is_confirmed_is_what_was_shown(flow: Flow):
    seen = flow.preview().context["digest"]
    Subscription.objects.filter(pk=flow.subscription.pk).update(quantity=11)
    changed = flow.confirm(seen=seen)
    assert changed.status_code == 422
    assert "Something changed since the preview" in changed.content.decode()
    assert SyncOperation.objects.count() == 0
    assert flow.confirm(seen=changed.context["digest"]).status_code == 302
