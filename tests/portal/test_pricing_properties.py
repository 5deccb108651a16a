"""Pricing rules as properties of any sheet, rule and terms: no database."""

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.currencies import minor_unit_places, to_minor_unit
from portal.pricing import PromotionTerms, Rule, Seller, Sheet, Terms, sell, sell_through

BEFORE, SINCE = date(2026, 4, 5), date(2026, 4, 6)
FREE_OF_LIMITS = Terms(discount_limit=False)
MONEY = st.decimals(min_value=0, max_value=2000, places=2)
RULES = st.builds(
    Rule,
    kind=st.sampled_from(["markup", "erp_discount", "split"]),
    percent=st.decimals(min_value=-100, max_value=1000, places=2),
)
TERMS = st.builds(Terms, st.booleans(), st.booleans(), st.booleans())
PROMOTIONS = st.none() | st.builds(
    PromotionTerms, st.just(1), st.just("P"), st.decimals(min_value=0, max_value=100, places=1)
)
SHEETS = st.builds(
    Sheet, MONEY, MONEY, st.sampled_from(["EUR", "JPY", "KWD"]), st.sampled_from([BEFORE, SINCE]), PROMOTIONS
)


@settings(deadline=None)
@given(SHEETS, st.none() | RULES, TERMS)
def test_limits_hold_for_every_price(a_sheet, a_rule, terms):
    priced = sell(a_sheet, a_rule, terms)
    list_price = a_sheet.cost if terms.pass_promotions else a_sheet.list_price
    assert priced.unit_price >= 0
    if terms.discount_limit:
        assert priced.unit_price >= to_minor_unit(list_price, a_sheet.currency)
    if terms.markup_limit and list_price <= a_sheet.erp and not terms.discount_limit:
        assert priced.unit_price <= to_minor_unit(a_sheet.erp, a_sheet.currency)


@settings(deadline=None)
@given(SHEETS, RULES)
def test_a_promotion_never_takes_more_than_its_percentage_off(a_sheet, a_rule):
    full = sell(Sheet(a_sheet.list_price, a_sheet.erp, a_sheet.currency, a_sheet.bought_on), a_rule, FREE_OF_LIMITS)
    promoted = sell(a_sheet, a_rule, FREE_OF_LIMITS)
    percent = a_sheet.promotion.percent if a_sheet.promotion else Decimal(0)
    half_unit = Decimal(1).scaleb(-minor_unit_places(a_sheet.currency))
    lies_between = a_sheet.list_price <= a_sheet.erp and 0 <= a_rule.percent <= 100
    if lies_between or a_rule.kind != "split":
        assert promoted.unit_price >= full.unit_price * (100 - percent) / 100 - half_unit


@settings(deadline=None)
@given(SHEETS, RULES, TERMS, RULES, TERMS)
def test_a_reseller_pays_what_its_csp_charges(a_sheet, csp_rule, csp_terms, own_rule, own_terms):
    charged = sell(a_sheet, csp_rule, csp_terms)
    priced = sell_through(a_sheet, Seller("Alder", csp_rule, csp_terms), Seller("Birch", own_rule, own_terms))
    assert priced.unit_cost == charged.unit_price
