"""How a selling price follows from a purchase price: pure rules on frozen values.

Three prices, all per unit and billing period in one currency: *list* is the purchase price in the seller's context,
*ERP* Microsoft's suggested retail price, *unit* the selling price. Where a CSP sells through a reseller, the CSP's unit
price is the reseller's list price. Nothing is rounded before the end of a sale.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from portal.currencies import to_minor_unit

RuleKind = Literal["markup", "erp_discount", "split"]
Audience = Literal["customers", "resellers"]

PROMOTIONS_LOWER_ERP_FROM = date(
    2026, 4, 6
)  # Microsoft: from this day on a promotion lowers the suggested retail price too
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rule:
    """A margin rule and whom it is for. `percent` is 15 for 15 %; empty `category` means every category.

    At most one of `subscription_id`, `customer_id` and `reseller_id` is set; none of them is a default of the seller.
    """

    kind: RuleKind
    percent: Decimal
    category: str = ""
    audience: Audience = "customers"
    customer_id: int | None = None
    reseller_id: int | None = None
    subscription_id: int | None = None

    @property
    def words(self) -> str:
        percent = _percent(self.percent)
        return {
            "markup": f"list price plus {percent}",
            "erp_discount": f"ERP minus {percent}",
            "split": f"list price plus {percent} of what lies between it and ERP",
        }[self.kind]

    @property
    def level(self) -> str:
        """Whom the rule is for, in words."""
        what = "this category" if self.category else "all categories"
        if self.subscription_id is not None:
            return "for this subscription"
        if self.customer_id is not None:
            return f"for this customer, {what}"
        if self.reseller_id is not None:
            return f"for this reseller, {what}"
        return f"default for {what}"


@dataclass(frozen=True, slots=True)
class Buyer:
    """What is sold to whom: the facts that pick a rule. `reseller_id` is set where the buyer is a reseller."""

    category: str
    customer_id: int | None = None
    reseller_id: int | None = None
    subscription_id: int | None = None

    @property
    def audience(self) -> Audience:
        return "resellers" if self.reseller_id is not None else "customers"


@dataclass(frozen=True, slots=True)
class PromotionTerms:
    """A Microsoft promotion: `percent` off. `id` is the row's."""

    id: int
    name: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """How a seller treats promotions and limits."""

    pass_promotions: bool = True
    markup_limit: bool = False
    discount_limit: bool = True


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells, under which rule and terms."""

    name: str
    rule: Rule | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a purchase costs the seller, and the promotion that it falls under.

    `list_price` and `erp` are without the promotion; `promoted_list` is the list price with it, computed from the
    percentage where nobody else has decided it. `bought_on` decides whether the promotion lowers ERP.
    """

    list_price: Decimal
    erp: Decimal
    currency: str
    bought_on: date
    promotion: PromotionTerms | None = None
    promoted_list: Decimal | None = None
    list_name: str = "List price (purchase price)"

    @property
    def cost(self) -> Decimal:
        """What the seller pays."""
        if self.promotion is None:
            return self.list_price
        return self.promoted_list if self.promoted_list is not None else _less(self.list_price, self.promotion)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation: what was done, and the amount that came out (None where nothing was computed)."""

    text: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A selling price and how it came about.

    `unit_cost` is what the seller pays, `unit_price` what the buyer pays, both rounded to the currency's minor unit.
    `list_price` and `erp` are the sheet's; the list price is the CSP's secret, never shown to its resellers.
    """

    unit_cost: Decimal
    unit_price: Decimal
    currency: str
    steps: tuple[Step, ...]
    list_price: Decimal
    erp: Decimal
    promotion: PromotionTerms | None = None


def rule_for(rules: Iterable[Rule], buyer: Buyer) -> Rule | None:
    """The most specific rule: subscription, then customer (or reseller), then default; a category before none."""
    fitting = [rule for rule in rules if _fits(rule, buyer)]
    return max(fitting, key=_specificity, default=None)


def _fits(rule: Rule, buyer: Buyer) -> bool:
    if rule.subscription_id is not None:
        return buyer.reseller_id is None and rule.subscription_id == buyer.subscription_id
    return (
        rule.audience == buyer.audience
        and rule.category in ("", buyer.category)
        and rule.customer_id in (None, buyer.customer_id)
        and rule.reseller_id in (None, buyer.reseller_id)
    )


def _specificity(rule: Rule) -> tuple[bool, bool, bool]:
    to_one = rule.customer_id is not None or rule.reseller_id is not None
    return rule.subscription_id is not None, to_one, bool(rule.category)


@dataclass(frozen=True, slots=True)
class _Basis:
    """The list price and ERP that a rule starts from, and what is still to be taken off its result."""

    list_price: Decimal
    erp: Decimal
    off_result: Decimal = Decimal(0)


def sell(sheet: Sheet, rule: Rule | None, terms: Terms) -> Priced:
    """One sale: the rule applied to the sheet, held inside the limits, and rounded at the end."""
    basis, opening = _basis(sheet, terms)
    unit, ruling = _apply(rule, basis)
    unit, limiting = _limit(unit, basis, terms)
    unit_price = to_minor_unit(unit, sheet.currency)
    return Priced(
        unit_cost=to_minor_unit(sheet.cost, sheet.currency),
        unit_price=unit_price,
        currency=sheet.currency,
        steps=(*opening, *ruling, *limiting, Step("Selling price, rounded to the currency", unit_price)),
        list_price=sheet.list_price,
        erp=sheet.erp,
        promotion=sheet.promotion,
    )


def sell_through(sheet: Sheet, csp: Seller, reseller: Seller) -> Priced:
    """Two sales: the CSP's unit price is its reseller's list price. The explanation is the reseller's alone.

    A promotion that the CSP keeps does not exist for the reseller; one that it passes on is the reseller's to pass on.
    """
    given = sell(sheet, csp.rule, csp.terms)
    without = sell(replace(sheet, promotion=None), csp.rule, csp.terms)
    own = replace(
        sheet,
        list_price=without.unit_price,
        promoted_list=given.unit_price,
        promotion=sheet.promotion if csp.terms.pass_promotions else None,
        list_name=f"Purchase price from {csp.name}",
    )
    priced = sell(own, reseller.rule, reseller.terms)
    return replace(priced, list_price=sheet.list_price, promotion=sheet.promotion)


def needs_erp(rule: Rule | None, terms: Terms) -> bool:
    """Whether a sale under this rule cannot be told without Microsoft's retail price."""
    return rule is None or rule.kind != "markup" or terms.markup_limit


def _less(amount: Decimal, promotion: PromotionTerms) -> Decimal:
    return amount * (HUNDRED - promotion.percent) / HUNDRED


def _basis(sheet: Sheet, terms: Terms) -> tuple[_Basis, list[Step]]:
    """The prices that the rule starts from, with the promotion in them where it is passed on.

    ERP is lowered by the promotion for purchases since 6 April 2026; before that day a rule on ERP takes the promotion
    off its result. So the promotion comes off once, either way.
    """
    steps = [Step(sheet.list_name, sheet.list_price), Step("ERP (suggested retail price)", sheet.erp)]
    promotion = sheet.promotion
    if promotion is None:
        return _Basis(sheet.list_price, sheet.erp), steps
    name = f"Promotion “{promotion.name}”, {_percent(promotion.percent)} off"
    if not terms.pass_promotions:
        return _Basis(sheet.list_price, sheet.erp), [*steps, Step(f"{name}: not passed on")]
    steps.append(Step(f"{name}: {sheet.list_name[0].lower()}{sheet.list_name[1:]}", sheet.cost))
    if sheet.bought_on < PROMOTIONS_LOWER_ERP_FROM:
        return _Basis(sheet.cost, sheet.erp, promotion.percent), steps
    erp = _less(sheet.erp, promotion)
    return _Basis(sheet.cost, erp), [*steps, Step(f"{name}: ERP", erp)]


def _percent(percent: Decimal) -> str:
    return f"{percent.normalize():f} %"


def _apply(rule: Rule | None, basis: _Basis) -> tuple[Decimal, list[Step]]:
    if rule is None:
        unit = basis.erp * (HUNDRED - basis.off_result) / HUNDRED
        return unit, [Step("No margin rule applies: sold at ERP", unit)]
    if rule.kind == "markup":
        unit = basis.list_price * (HUNDRED + rule.percent) / HUNDRED
    elif rule.kind == "erp_discount":
        unit = basis.erp * (HUNDRED - rule.percent) / HUNDRED * (HUNDRED - basis.off_result) / HUNDRED
    else:
        unit = basis.list_price + rule.percent / HUNDRED * (basis.erp - basis.list_price)
    return unit, [Step(f"Margin rule ({rule.level}): {rule.words}", unit)]


def _limit(unit: Decimal, basis: _Basis, terms: Terms) -> tuple[Decimal, list[Step]]:
    """Hold the price inside the limits. Where ERP lies below list, never selling at a loss is the stronger wish."""
    steps: list[Step] = []
    if terms.markup_limit and unit > basis.erp:
        unit = basis.erp
        steps.append(Step("Limit: never above ERP", unit))
    if terms.discount_limit and unit < basis.list_price:
        unit = basis.list_price
        steps.append(Step("Limit: never below list price", unit))
    if unit < 0:
        unit = Decimal(0)
        steps.append(Step("A price is never negative", unit))
    return unit, steps
