"""Pricing rules as worked tables: no database."""

from datetime import date
from decimal import Decimal

import pytest

from portal.currencies import minor_unit_places
from portal.pricing import Buyer, PromotionTerms, Rule, Seller, Sheet, Terms, rule_for, sell, sell_through

BEFORE, SINCE = date(2026, 4, 5), date(2026, 4, 6)
TEN_OFF = PromotionTerms(1, "Spring", Decimal(10))


def sheet(list_price="8.00", erp="10.00", currency="EUR", day=SINCE, promotion=None) -> Sheet:
    return Sheet(Decimal(list_price), Decimal(erp), currency, day, promotion)


def rule(kind: str, percent: str, **levels) -> Rule:
    return Rule(kind, Decimal(percent), **levels)


@pytest.mark.parametrize(
    ("the_rule", "unit"),
    [
        (None, "10.00"),
        (rule("markup", "15"), "9.20"),
        (rule("markup", "0"), "8.00"),
        (rule("erp_discount", "5"), "9.50"),
        (rule("erp_discount", "0"), "10.00"),
        (rule("split", "50"), "9.00"),
        (rule("split", "0"), "8.00"),
        (rule("split", "100"), "10.00"),
    ],
)
def test_each_rule_computes_its_unit_price_from_list_8_and_erp_10(the_rule, unit):
    priced = sell(sheet(), the_rule, Terms())
    assert (priced.unit_cost, priced.unit_price) == (Decimal("8.00"), Decimal(unit))


@pytest.mark.parametrize(
    ("the_rule", "passed_on", "kept"),
    [
        (None, "9.00", "10.00"),
        (rule("markup", "15"), "8.28", "9.20"),
        (rule("erp_discount", "5"), "8.55", "9.50"),
        (rule("split", "50"), "8.10", "9.00"),
    ],
)
def test_a_promotion_comes_off_once_where_it_is_passed_on_and_not_at_all_where_it_is_kept(the_rule, passed_on, kept):
    promoted = sheet(promotion=TEN_OFF)
    assert sell(promoted, the_rule, Terms()).unit_price == Decimal(passed_on)
    assert sell(promoted, the_rule, Terms(pass_promotions=False)).unit_price == Decimal(kept)
    assert sell(promoted, the_rule, Terms(pass_promotions=False)).unit_cost == Decimal("7.20")


@pytest.mark.parametrize(
    ("kind", "percent", "before", "since"),
    [("erp_discount", "5", "8.55", "8.55"), ("markup", "15", "8.28", "8.28"), ("split", "50", "8.60", "8.10")],
)
def test_since_6_april_2026_the_promotion_lowers_erp_itself(kind, percent, before, since):
    assert sell(sheet(day=BEFORE, promotion=TEN_OFF), rule(kind, percent), Terms()).unit_price == Decimal(before)
    assert sell(sheet(day=SINCE, promotion=TEN_OFF), rule(kind, percent), Terms()).unit_price == Decimal(since)


@pytest.mark.parametrize(
    ("terms", "the_rule", "unit"),
    [
        (Terms(markup_limit=True), rule("markup", "40"), "10.00"),
        (Terms(markup_limit=False), rule("markup", "40"), "11.20"),
        (Terms(discount_limit=True), rule("erp_discount", "30"), "8.00"),
        (Terms(discount_limit=False), rule("erp_discount", "30"), "7.00"),
        (Terms(discount_limit=False), rule("erp_discount", "250"), "0.00"),
        (Terms(markup_limit=True), rule("markup", "10"), "8.80"),
    ],
)
def test_limits_hold_a_price_between_list_and_erp(terms, the_rule, unit):
    assert sell(sheet(), the_rule, terms).unit_price == Decimal(unit)


def test_where_erp_lies_below_list_nothing_is_sold_at_a_loss():
    assert sell(sheet("8", "7"), None, Terms(markup_limit=True)).unit_price == Decimal("8.00")


@pytest.mark.parametrize(
    ("currency", "list_price", "unit"),
    [("EUR", "0.1", "0.12"), ("EUR", "4.5", "5.18"), ("JPY", "450", "518"), ("KWD", "1.2345", "1.420")],
)
def test_the_price_is_rounded_half_up_to_the_minor_unit_once_at_the_end(currency, list_price, unit):
    priced = sell(sheet(list_price, "9999", currency), rule("markup", "15"), Terms())
    assert priced.unit_price == Decimal(unit)
    assert -priced.unit_price.as_tuple().exponent == minor_unit_places(currency)


def test_the_most_specific_rule_wins():
    rules = [
        rule("markup", "1"),
        rule("markup", "2", category="licence"),
        rule("markup", "3", customer_id=7),
        rule("markup", "4", customer_id=7, category="licence"),
        rule("markup", "5", subscription_id=9),
        rule("markup", "6", audience="resellers"),
        rule("markup", "7", audience="resellers", reseller_id=3, category="licence"),
    ]

    def percent(buyer: Buyer) -> int:
        return int(rule_for(rules, buyer).percent)

    assert percent(Buyer("licence", 7, subscription_id=9)) == 5
    assert percent(Buyer("licence", 7)) == 4
    assert percent(Buyer("perpetual", 7)) == 3
    assert percent(Buyer("licence", 8)) == 2
    assert percent(Buyer("perpetual", 8)) == 1
    assert percent(Buyer("licence", reseller_id=3)) == 7
    assert percent(Buyer("licence", reseller_id=4)) == 6
    assert rule_for([], Buyer("licence", 7)) is None


def test_a_csp_unit_price_is_its_resellers_list_price():
    csp = Seller("Alder", rule("split", "50"), Terms())
    reseller = Seller("Birch", rule("markup", "10"), Terms())
    priced = sell_through(sheet(), csp, reseller)
    assert (priced.unit_cost, priced.unit_price) == (Decimal("9.00"), Decimal("9.90"))
    assert "8.00" not in " ".join(f"{step.text} {step.amount}" for step in priced.steps)


@pytest.mark.parametrize(
    ("csp_passes", "reseller_passes", "cost", "unit"),
    [(True, True, "8.10", "8.91"), (True, False, "8.10", "9.90"), (False, True, "9.00", "9.90")],
)
def test_a_promotion_reaches_the_customer_only_through_both_sellers(csp_passes, reseller_passes, cost, unit):
    csp = Seller("Alder", rule("split", "50"), Terms(pass_promotions=csp_passes))
    reseller = Seller("Birch", rule("markup", "10"), Terms(pass_promotions=reseller_passes))
    priced = sell_through(sheet(promotion=TEN_OFF), csp, reseller)
    assert (priced.unit_cost, priced.unit_price) == (Decimal(cost), Decimal(unit))


def test_the_steps_tell_how_the_price_came_about():
    priced = sell(sheet(promotion=TEN_OFF), rule("erp_discount", "12.5000", customer_id=1), Terms())
    words = [step.text for step in priced.steps]
    assert "Promotion “Spring”, 10 % off: ERP" in words
    assert "Margin rule (for this customer, all categories): ERP minus 12.5 %" in words
    assert priced.steps[-1].amount == priced.unit_price
