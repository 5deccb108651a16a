from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from portal.models import MarginRule, SubscriptionChange, SubscriptionRequest
from tests.cast import make_customer, make_subscription, make_variant
from tests.queries import assert_same_queries

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def contoso(cast):
    return make_customer(cast.csp, "Contoso")


@pytest.fixture
def subscription(cast, contoso):
    return make_subscription(contoso, make_variant(cast.csp), quantity=12)


def test_the_list_can_be_searched_by_offer_and_customer_together(cast, as_user, subscription):
    make_subscription(make_customer(cast.csp, "Fabrikam"), subscription.variant)
    page = as_user(cast.reader).get("/subscriptions/?q=basic+conto", headers={"HX-Request": "true"}).content.decode()
    assert "Contoso" in page
    assert "Fabrikam" not in page


@pytest.mark.parametrize("query", ["status=suspended", "category=azure_plan"])
def test_the_list_can_be_narrowed(cast, as_user, subscription, query):
    page = as_user(cast.reader).get(f"/subscriptions/?{query}").content.decode()
    assert "No subscription matches" in page


def test_the_list_can_be_narrowed_to_a_customer(cast, as_user, subscription):
    fabrikam = make_customer(cast.csp, "Fabrikam")
    make_subscription(fabrikam, subscription.variant, friendly_name="Fabrikam's own")
    url = f"/subscriptions/?customer={fabrikam.pk}"
    page = as_user(cast.reader).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Fabrikam&#x27;s own" in page
    assert "Contoso" not in page


def test_with_very_many_customers_the_chosen_one_is_shown_and_can_be_taken_away(
    cast, as_user, subscription, monkeypatch
):
    monkeypatch.setattr("portal.filters.fields.MANY", 0)
    url = f"/subscriptions/?customer={subscription.customer_id}&status=active"
    page = as_user(cast.reader).get(url).content.decode()
    assert '<option value="">Any customer' not in page
    assert "Customer: Contoso" in page
    assert 'href="?status=active"' in page


def test_the_list_asks_the_same_for_ten_rows_and_twenty(cast, as_user, contoso):
    variant = make_variant(cast.csp)

    def make_ten():
        return [make_subscription(contoso, variant) for _ in range(10)]

    assert_same_queries(as_user(cast.reader), "/subscriptions/", make_ten)


def test_the_page_explains_the_price(cast, as_user, subscription):
    MarginRule.objects.create(organization=cast.csp, kind="markup", percent=Decimal(25))
    page = as_user(cast.billing).get(f"/subscriptions/{subscription.pk}/").content.decode()
    assert "5.00\u00a0EUR" in page  # 4.00 plus 25 %
    assert "60.00\u00a0EUR" in page  # for 12
    assert "list price plus 25 %" in page


def test_a_csp_sees_what_its_reseller_pays_and_not_what_the_reseller_earns(cast, as_user):
    MarginRule.objects.create(organization=cast.reseller, kind="markup", percent=Decimal(77))
    subscription = make_subscription(make_customer(cast.reseller, "Fabrikam"), make_variant(cast.csp))
    page = as_user(cast.admin).get(f"/subscriptions/{subscription.pk}/").content.decode()
    assert "Birch IT pays, per unit" in page
    assert "77" not in page


def test_a_reseller_never_sees_the_purchase_price_of_its_csp(cast, as_user):
    variant = make_variant(cast.csp, list_price=Decimal("3.33"), erp=Decimal("5.00"))
    subscription = make_subscription(make_customer(cast.reseller, "Fabrikam"), variant, list_price=Decimal("3.33"))
    page = as_user(cast.reseller_admin).get(f"/subscriptions/{subscription.pk}/").content.decode()
    assert "Customer pays, per unit" in page
    assert "3.33" not in page


def test_the_page_tells_what_changed_when_and_by_whom(cast, as_user, subscription):
    SubscriptionChange.objects.create(
        subscription=subscription,
        kind="quantity_changed",
        effective_on=date(2026, 5, 9),
        recorded_at=NOW,
        source="portal",
        before={"quantity": 10, "status": "active"},
        after={"quantity": 12, "status": "active"},
        actor=cast.operations,
    )
    page = as_user(cast.reader).get(f"/subscriptions/{subscription.pk}/").content.decode()
    assert "<del>10</del> <ins>12</ins>" in page
    assert "operations@alder.example" in page
    assert "14:00</time>" in page  # 12:00 UTC in Brussels


@pytest.mark.parametrize(("state", "words"), [("planned", "on its way to Microsoft"), ("failed", "was refused")])
def test_the_page_tells_what_became_of_the_last_wish(cast, as_user, subscription, state, words):
    SubscriptionRequest.objects.create(
        subscription=subscription,
        kind="quantity",
        wanted={"quantity": 30},
        state=state,
        actor=cast.admin,
        requested_at=NOW,
    )
    assert words in as_user(cast.reader).get(f"/subscriptions/{subscription.pk}/").content.decode()


def test_only_who_may_change_it_is_offered_to(cast, as_user, subscription):
    url = f"/subscriptions/{subscription.pk}/"
    assert "Change quantity" not in as_user(cast.reader).get(url).content.decode()
    assert "Change quantity" in as_user(cast.operations).get(url).content.decode()


def test_a_subscription_of_another_tenant_is_not_there(cast, as_user, subscription):
    assert as_user(cast.stranger).get(f"/subscriptions/{subscription.pk}/").status_code == 404
