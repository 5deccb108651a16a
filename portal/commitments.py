"""What a purchase binds the customer to, in numbers and words: billing periods, terms, and how to get out again."""

from collections.abc import Iterable
from decimal import Decimal

PER_PERIOD = {
    "monthly": "per month",
    "annual": "per year",
    "triennial": "per 3 years",
    "one_time": "once",
    "none": "by usage",
}
_MONTHS_IN_TERM = {"P1M": 1, "P1Y": 12, "P3Y": 36}
_MONTHS_IN_PERIOD = {"monthly": 1, "annual": 12, "triennial": 36}

_CANCELLATION = {
    "licence": "Can be cancelled, and seats given back, within 7 days of the purchase; after that at the term's end.",
    "software": "Can be cancelled within 7 days of the purchase; single seats cannot be given back.",
    "perpetual": "Can be returned whole within 30 days of the purchase.",
    "azure_plan": "Has no term: billed by usage, cannot be cancelled here, suspended once nothing in it is active.",
    "azure_reservation": "Is exchanged or cancelled in Microsoft's own portal only.",
    "legacy": "Can be suspended at any time.",
}


def per_period(billing: str) -> str:
    """The billing frequency as a price carries it: "per month"."""
    return PER_PERIOD[billing]


def periods_in_term(term: str, billing: str) -> int:
    """How many billing periods the term has: 12 for a year billed monthly, 1 where there is no term."""
    if billing not in _MONTHS_IN_PERIOD or term not in _MONTHS_IN_TERM:
        return 1
    return max(_MONTHS_IN_TERM[term] // _MONTHS_IN_PERIOD[billing], 1)


def cancellation(category: str) -> str:
    """Microsoft's rule for getting out of a purchase of this category, in words."""
    return _CANCELLATION[category]


def totals_by_period(amounts: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    """The sums of (billing frequency, amount) pairs as ("per month", amount), the shortest period first."""
    sums: dict[str, Decimal] = {}
    for billing, amount in amounts:
        sums[billing] = sums.get(billing, Decimal(0)) + amount
    return [(PER_PERIOD[billing], sums[billing]) for billing in PER_PERIOD if billing in sums]
