"""The demonstration's data: what Partner Center holds, connections that were tested, lines that were proved."""

from datetime import UTC, datetime

import pytest

from connections.models import Connection, MirroredCompany
from connections.sandbox.remote import Addresses, control
from connections.sandbox.seed import partner_center_data
from connections.sandbox.server import Sandbox
from portal import audit
from portal.actions.prices import priced
from portal.models import Customer, MarginRule, OfferVariant, Organization, Subscription, User
from syncops.demo.people import PASSWORD, PEOPLE
from syncops.demo.seed import seed
from syncops.demo.tenant import ensure_tenant
from syncops.models import SyncOperation

TODAY = datetime.now(UTC).date()
QUICK = {"threads": 1, "connect_timeout_s": 2, "read_timeout_s": 5, "quiet_s": 1}


@pytest.fixture
def sandbox(unlimited, tmp_path, settings):
    with Sandbox(tmp_path) as running:
        addresses = Addresses(running.autotask_url, running.partner_center_url)
        for name, value in addresses.environment.items():
            setattr(settings, name, value)
        settings.EXECUTOR = settings.EXECUTOR | QUICK
        yield addresses


@pytest.fixture
def tenant(db):
    return ensure_tenant(TODAY, datetime.now(UTC))


def test_the_portal_holds_what_partner_center_holds(tenant):
    data = partner_center_data(TODAY)
    held = {one["id"]: one for all_held in data["subscriptions"].values() for one in all_held}
    rows = {row.external_id: row for row in Subscription.objects.select_related("variant__offer")}
    assert rows.keys() == held.keys()
    assert len(rows) == 120
    assert Customer.objects.count() == 25
    for key, document in held.items():
        row = rows[key]
        assert (row.quantity, row.status) == (document["quantity"], document["status"])
        product = f"{row.variant.offer.product_id}:{row.variant.offer.sku_id}:{row.variant.availability_id}"
        assert product.strip(":") == document["offerId"]


def test_every_offer_that_can_be_bought_has_a_price_for_everybody(tenant):
    for variant in OfferVariant.objects.filter(is_purchasable=True).exclude(offer__category="azure_plan"):
        assert {price.currency for price in variant.prices.all()} == {"EUR", "GBP"}


def test_every_active_subscription_has_a_price_with_an_explanation(tenant):
    for subscription in Subscription.objects.filter(status="active").select_related("variant__offer", "organization"):
        price = priced(subscription, today=TODAY)
        assert price.unit_price >= price.unit_cost
        assert price.steps


def test_resellers_own_their_customers_and_rules(tenant):
    owned = {row.name: row.customers.count() for row in Organization.objects.all()}
    assert owned == {"Northwind Cloud Services": 15, "Lumen & Partners IT": 6, "Harbourline Managed IT": 4}
    assert {rule.organization.kind for rule in MarginRule.objects.all()} == {"csp", "reseller"}


def test_everybody_can_sign_in(tenant, client):
    for person in PEOPLE:
        answer = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        assert answer.status_code == 302, person
        assert client.get("/admin/" if person.is_support else "/").status_code == 200, person
        client.logout()


def test_roles_are_all_there(tenant):
    assert {role for role, _ in User.Role.choices} == {user.role for user in User.objects.all()}


def test_seeding_ends_with_lines_that_autotask_shows(db, sandbox):
    said = []
    seed(TODAY, say=said.append, synced=2)
    assert {row.kind: row.state for row in Connection.objects.all()} == {
        "autotask": "active",
        "partner_center": "active",
    }
    assert MirroredCompany.objects.count() > 40
    operations = SyncOperation.objects.select_related("subscription")
    assert [operation.state for operation in operations] == ["succeeded"] * 2
    for operation in operations:
        (line,) = control(sandbox.autotask, "GET", "ledger", key=operation.subscription.external_id)["lines"]
        assert line["rows"][-1]["units"] == operation.subscription.quantity
    assert not list(audit.breaks(Organization.objects.get(parent=None)))


def test_seeding_again_changes_nothing(db, sandbox):
    seed(TODAY, say=lambda words: None, synced=1)
    before = _state()
    User.objects.filter(email=PEOPLE[1].email).update(first_name="Somebody")
    seed(TODAY, say=lambda words: None, synced=1)
    assert _state() == before
    assert User.objects.get(email=PEOPLE[1].email).first_name == "Somebody"


def test_other_ports_are_another_zone(db, sandbox, tmp_path, settings):
    seed(TODAY, say=lambda words: None, synced=0)
    with Sandbox(tmp_path / "moved") as moved:
        settings.AUTOTASK_ZONE_URL = Addresses(moved.autotask_url, "").zone_url
        seed(TODAY, say=lambda words: None, synced=1)
        connection = Connection.objects.get(kind="autotask")
        assert connection.zone_url.startswith(moved.autotask_url)


def _state():
    counted = (Organization, User, Customer, Subscription, OfferVariant, Connection, SyncOperation)
    return [model.objects.count() for model in counted]
