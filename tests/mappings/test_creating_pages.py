"""The pages that have a service or a contract created in Autotask."""

import re
from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from connections import registry
from connections.models import Creation, MirroredContract
from mappings.models import CustomerMapping
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import FakePsa, a_company
from tests.mappings.mirror import company_row, make_connection

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
CREATED = date(2026, 5, 1)


class Desk:
    def __init__(self, cast, client, category="licence"):
        self.cast, self.client = cast, client
        self.psa = FakePsa(companies=[a_company()])
        self.connection = make_connection(cast.csp)
        self.customer = make_customer(cast.csp)
        self.variant = make_variant(cast.csp, category=category)
        dates = {"created_on": CREATED, "starts_on": CREATED}
        self.subscription = make_subscription(self.customer, self.variant, **dates)
        company_row(self.connection)
        CustomerMapping.objects.create(
            connection=self.connection, customer=self.customer, company_id=1, company_name="Contoso", created_at=NOON
        )
        self.service_url = reverse("mappings:service_create", args=[self.connection.pk, self.variant.pk])
        self.contract_url = reverse("mappings:contract_create", args=[self.connection.pk, self.subscription.pk])

    def preview(self, url, **posted):
        page = self.client.post(url, posted)
        found = re.search(r'name="key" value="([\w-]+)"', page.content.decode())
        return page, posted | {"key": found[1] if found else "", "confirmed": "on"}


@pytest.fixture
def make_desk(cast, as_user, monkeypatch, time_machine):
    def make(**how):
        time_machine.move_to(NOON, tick=False)
        desk = Desk(cast, as_user(cast.operations), **how)
        monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: desk.psa)
        return desk

    return make


@pytest.fixture
def desk(make_desk):
    return make_desk()


SERVICE = {"name": "Basic, monthly", "code": "20", "price": "list"}
CONTRACT = {
    "name": "CSP",
    "period": "monthly",
    "starts_on": "2026-04-01",
    "ends_on": "2027-12-31",
    "billing": "Manually",
}


def test_a_service_is_shown_exactly_then_created_then_chosen_in_its_row(desk):
    page, confirmed = desk.preview(desk.service_url, **SERVICE)
    shown = page.content.decode()
    assert all(words in shown for words in ("Nothing has been created yet", "Recurring", "5.00", "4.00"))
    assert not Creation.objects.exists()
    row = desk.client.post(desk.service_url, confirmed, follow=True)
    made = Creation.objects.get()
    assert row.redirect_chain[-1][0].endswith(f"?service={made.remote_id}")
    assert re.search(rf'value="{made.remote_id}"[^>]*checked', row.content.decode())
    assert desk.psa.service(made.remote_id).unit_price == 5


def test_pressed_twice_one_is_made(desk):
    _, confirmed = desk.preview(desk.service_url, **SERVICE)
    for _ in range(2):
        assert desk.client.post(desk.service_url, confirmed).status_code == 302
    assert len(desk.psa.notes) == 1


def test_the_form_fills_in_days_that_can_bill_the_subscription(desk):
    page = desk.client.get(desk.contract_url).content.decode()
    assert 'value="2026-04-01"' in page
    assert 'value="2027-03-31"' in page or 'value="2028-03-31"' in page


def test_a_contract_is_created_and_chosen_where_it_was_missing(desk):
    _, confirmed = desk.preview(desk.contract_url, **CONTRACT)
    page = desk.client.post(desk.contract_url, confirmed, follow=True)
    there = MirroredContract.objects.get()
    assert there.company_remote_id == 1
    assert re.search(rf'name="contract" value="{there.remote_id}"[^>]*checked', page.content.decode())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"starts_on": "2026-05-01"}, "must start before the subscription was created"),
        ({"ends_on": "2026-03-01"}, "The last day is after the first one."),
        ({"period": "yearly"}, "has the period type Yearly"),
        ({"ends_on": "2026-05-09"}, "ended on"),
        ({"name": ""}, "required"),
    ],
)
def test_a_contract_that_could_not_bill_it_is_not_created(desk, wrong, why):
    page, confirmed = desk.preview(desk.contract_url, **(CONTRACT | wrong))
    assert page.status_code == 422
    assert why in page.content.decode()
    assert desk.client.post(desk.contract_url, confirmed).status_code == 422
    assert not Creation.objects.exists()


def test_an_azure_plan_asks_for_a_contract_from_the_first_of_a_month_and_a_service_at_zero(make_desk):
    desk = make_desk(category="azure_plan")
    page, _ = desk.preview(desk.contract_url, **(CONTRACT | {"starts_on": "2026-04-15"}))
    assert "starts on day 1 of a month" in page.content.decode()
    assert desk.preview(desk.service_url, **SERVICE)[0].status_code == 422  # no list price to choose
    assert "0.00" in desk.preview(desk.service_url, **(SERVICE | {"price": "zero"}))[0].content.decode()


def test_the_missing_right_is_named_to_whoever_wants_to_use_it(desk):
    desk.psa.missing_rights = ("Create services",)
    page = desk.client.get(desk.service_url)
    assert page.status_code == 422
    assert "Allow it to create services." in page.content.decode()
    assert desk.client.post(desk.service_url, SERVICE | {"confirmed": "on"}).status_code == 422
    assert not Creation.objects.exists()


def test_an_unknown_outcome_has_a_page_that_follows_it(desk):
    desk.psa.fail_next("create_service", "drop_before")
    _, confirmed = desk.preview(desk.service_url, **SERVICE)
    page = desk.client.post(desk.service_url, confirmed, follow=True).content.decode()
    assert "It is not known yet whether Autotask has created it." in page
    assert "hx-get" in page


def test_readers_and_others_create_nothing(desk, as_user):
    row = Creation.objects.create(
        connection=desk.connection, noun="service", name="X", request={}, asked_by=desk.cast.admin, sent_at=NOON
    )
    urls = (desk.service_url, desk.contract_url, reverse("mappings:creation_detail", args=[row.pk]))
    for user, status in ((desk.cast.reader, 403), (desk.cast.stranger, 404), (desk.cast.reseller_admin, 404)):
        assert [as_user(user).get(url).status_code for url in urls] == [status] * 3
        assert [as_user(user).post(url, SERVICE).status_code for url in urls[:2]] == [status] * 2
    assert desk.psa.calls == []
