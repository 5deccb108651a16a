"""Price sheets and promotions, in the columns and shapes that Partner Center publishes them."""

from datetime import date, timedelta
from typing import Any

from ..partner_center.terms import add_months
from .catalogue import BY_KEY, OFFERS, Offer, price
from .names import CURRENCIES

COLUMNS = (
    "ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure", "TermDuration",
    "BillingPlan", "Market", "Currency", "UnitPrice", "PricingTierRangeMin", "PricingTierRangeMax",
    "EffectiveStartDate", "EffectiveEndDate", "Tags", "ERP Price", "Segment",
)  # fmt: skip
VIEWS = {
    "updatedlicensebased": ("licence", "trial"),
    "software": ("perpetual",),
    "azure_reservations": ("reservation",),
}
PLAN_NAMES = {"monthly": "Monthly", "annual": "Annual", "triennial": "Triennial", "one_time": "OneTime"}


def price_sheets(market: str, today: date) -> dict[str, list[dict[str, str]]]:
    """Rows by view. For one unit and billing period: `UnitPrice` is the partner's cost, `ERP Price` retail."""
    return {
        view: [
            _row(offer, term, cycle, market, today)
            for offer in OFFERS
            if offer.kind in kinds
            for term, cycle in offer.terms
        ]
        for view, kinds in VIEWS.items()
    }


def _row(offer: Offer, term: str, cycle: str, market: str, today: date) -> dict[str, str]:
    currency = CURRENCIES[market]
    amounts = price(offer, term, cycle, currency)
    values = (
        offer.title, offer.product_id, offer.sku_id, offer.title, "Microsoft Corporation", offer.title, "1 User",
        term or "NoTerm", PLAN_NAMES[cycle], market, currency, f"{amounts.cost:f}", "", "",
        f"{_price_list_start(today).isoformat()}T00:00:00Z", "9999-12-31T00:00:00Z", "", f"{amounts.retail:f}",
        offer.segment.capitalize(),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _price_list_start(today: date) -> date:
    return add_months(today.replace(day=1), -6)


PROMOTION_IDS = {"premium": "39NFJQT20B31:0001:39NFJQT20C7K", "copilot": "39NFJQT20B32:0001:39NFJQT20C7L"}


def promotions(today: date) -> list[dict[str, Any]]:
    """Two: one for new yearly Business Premium paid at once or monthly, one for Copilot that ends sooner."""
    return [
        _promotion(
            "premium", "Microsoft 365 Business Premium - 15% off", BY_KEY["m365-premium"], "0.15",
            start=today - timedelta(days=300), end=today + timedelta(days=120),
        ),
        _promotion(
            "copilot", "Microsoft 365 Copilot - 10% off", BY_KEY["copilot"], "0.10",
            start=today - timedelta(days=40), end=today + timedelta(days=21),
        ),
    ]  # fmt: skip


def _promotion(key: str, name: str, offer: Offer, value: str, *, start: date, end: date) -> dict[str, Any]:
    return {
        "id": PROMOTION_IDS[key],
        "name": name,
        "description": f"{name} of the price of a new yearly subscription",
        "startDate": f"{start.isoformat()}T00:00:00+00:00",
        "endDate": f"{end.isoformat()}T23:59:59+00:00",
        "properties": {"isAutoApplicable": False},
        "requiredProducts": [
            {
                "productId": offer.product_id,
                "skuId": offer.sku_id,
                "term": {"duration": "P1Y", "billingCycle": cycle},
                "pricingPolicies": [{"policyType": "PercentDiscount", "value": value}],
            }
            for cycle in ("Monthly", "Annual")
        ],
    }
