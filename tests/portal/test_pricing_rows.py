"""Prices from rows: the right rules, sheets and promotions, in few questions however much is priced."""

from datetime import date, timedelta
from decimal import Decimal

from portal.actions.prices import priced, priced_subscriptions, priced_variants
from portal.models import MarginRule, MarginSettings, Promotion, VariantPrice
from tests.cast import TODAY, make_customer, make_subscription, make_variant


def rule(organization, percent: int, **more) -> MarginRule:
    return MarginRule.objects.create(
        organization=organization, **({"kind": "markup", "percent": Decimal(percent)} | more)
    )


def promotion(owner, variant, percent: int = 10, **more) -> Promotion:
    dates = {"starts_on": TODAY - timedelta(days=1), "ends_on": TODAY + timedelta(days=1)}
    made = Promotion.objects.create(
        owner=owner, promotion_id=f"P{percent}", name=f"{percent} off", percent=Decimal(percent), **(dates | more)
    )
    made.variants.add(variant)
    return made


def test_a_subscription_is_priced_by_its_own_rule_before_its_customers_and_the_default(cast):
    subscription = make_subscription(make_customer(cast.csp), make_variant(cast.csp))
    assert priced(subscription).unit_price == Decimal("5.00")
    rule(cast.csp, 10)
    assert priced(subscription).unit_price == Decimal("4.40")
    rule(cast.csp, 20, customer=subscription.customer, category="licence")
    assert priced(subscription).unit_price == Decimal("4.80")
    rule(cast.csp, 50, subscription=subscription)
    assert priced(subscription).unit_price == Decimal("6.00")


def test_rules_of_others_do_not_count(cast):
    subscription = make_subscription(make_customer(cast.csp), make_variant(cast.csp))
    rule(cast.other_csp, 90)
    rule(cast.reseller, 90)
    rule(cast.csp, 90, customer=make_customer(cast.csp, "Another"))
    rule(cast.csp, 90, category="perpetual")
    rule(cast.csp, 90, audience="resellers")
    assert priced(subscription).unit_price == Decimal("5.00")


def test_a_resellers_cost_is_what_its_csp_charges_it(cast):
    subscription = make_subscription(make_customer(cast.reseller), make_variant(cast.csp))
    rule(cast.csp, 10, audience="resellers")
    rule(cast.csp, 25, audience="resellers", reseller=cast.reseller)
    rule(cast.reseller, 10)
    price = priced(subscription)
    assert (price.unit_cost, price.unit_price) == (Decimal("5.00"), Decimal("5.50"))
    assert "List price" not in " ".join(step.text for step in price.steps)


def test_a_subscription_keeps_its_promotion_until_its_term_ends(cast):
    variant = make_variant(cast.csp)
    bought = make_subscription(make_customer(cast.csp), variant, promotion=promotion(cast.csp, variant))
    rule(cast.csp, 10)
    assert priced(bought, today=bought.ends_on).unit_price == Decimal("3.96")
    assert priced(bought, today=bought.ends_on + timedelta(days=1)).unit_price == Decimal("4.40")


def test_settings_of_the_organization_hold(cast):
    variant = make_variant(cast.csp)
    subscription = make_subscription(make_customer(cast.csp), variant, promotion=promotion(cast.csp, variant))
    rule(cast.csp, 50)
    MarginSettings.objects.create(organization=cast.csp, pass_promotions=False, markup_limit=True)
    price = priced(subscription, today=TODAY)
    assert (price.unit_cost, price.unit_price) == (Decimal("3.60"), Decimal("5.00"))


def test_the_price_sheet_of_the_day_and_of_the_currency_counts(cast):
    variant, customer = make_variant(cast.csp), make_customer(cast.csp)
    VariantPrice.objects.filter(variant=variant).update(valid_to=date(2026, 4, 30))
    for currency, amount, since in (("EUR", 6, date(2026, 5, 1)), ("EUR", 9, date(2026, 6, 1)), ("USD", 7, TODAY)):
        VariantPrice.objects.create(variant=variant, currency=currency, list_price=5, erp=amount, valid_from=since)

    def erp(day: date) -> Decimal:
        return priced_variants(cast.csp, customer, [variant], day)[variant.pk].erp

    assert [erp(date(2026, 4, 30)), erp(date(2026, 5, 31)), erp(date(2026, 6, 1))] == [5, 6, 9]


def test_the_best_promotion_that_allows_the_quantity_counts(cast):
    variant, customer = make_variant(cast.csp), make_customer(cast.csp)
    promotion(cast.csp, variant, 10, maximum_quantity=50)
    promotion(cast.csp, variant, 20, minimum_quantity=25)
    promotion(cast.csp, variant, 90, ends_on=TODAY - timedelta(days=1), starts_on=date(2020, 1, 1))

    def percent(quantity: int) -> Decimal:
        return priced_variants(cast.csp, customer, [variant], TODAY, {variant.pk: quantity})[
            variant.pk
        ].promotion.percent

    assert [percent(1), percent(25), percent(51)] == [10, 20, 20]


def test_many_are_priced_in_as_few_questions_as_one(cast, django_assert_num_queries):
    customer = make_customer(cast.csp)
    variants = [make_variant(cast.csp, f"Offer {number}") for number in range(12)]
    subscriptions = [make_subscription(customer, variant) for variant in variants]
    with django_assert_num_queries(4):
        assert len(priced_variants(cast.csp, customer, variants, TODAY)) == 12
    with django_assert_num_queries(2):
        assert len(priced_subscriptions(cast.csp, subscriptions)) == 12
