"""Money of a line: shares of a period and amounts in a currency. Everything is `Decimal`, rounded half-up."""

from decimal import ROUND_HALF_UP, Decimal

from portal import currencies

_SHARE = Decimal("0.0001")
_NOISE = Decimal("1e-9")  # a row's total / units x units may miss the total by the last digit of a long quotient


def to_minor_unit(value: Decimal, currency: str) -> Decimal:
    """`value` rounded half-up (away from zero on a tie, so that a credit mirrors its charge) to the minor unit."""
    return currencies.to_minor_unit(value.quantize(_NOISE, rounding=ROUND_HALF_UP), currency)


def share(days: int, period_days: int) -> Decimal:
    """The part of a period that `days` of it are, half-up to 4 places: 22 of 31 days are 0.7097."""
    if not 0 <= days <= period_days or period_days == 0:
        raise ValueError(f"{days} of {period_days} days is not a part of a period")
    return (Decimal(days) / period_days).quantize(_SHARE, rounding=ROUND_HALF_UP)


def amount(units: int, price: Decimal, share: Decimal, currency: str) -> Decimal:
    """What one unit row costs: units x unit price x share of the period, half-up to the minor unit."""
    return to_minor_unit(units * price * share, currency)
