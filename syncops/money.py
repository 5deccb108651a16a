"""Money of a line: shares of a period and amounts in a currency. Everything is `Decimal`, rounded half-up."""

from decimal import ROUND_HALF_UP, Decimal

_WITHOUT = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF"]
    + ["XPF"]
)
_WITH_THREE = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SHARE = Decimal("0.0001")
_NOISE = Decimal("1e-9")  # a row's total / units x units may miss the total by the last digit of a long quotient


def minor_unit_places(currency: str) -> int:
    """Decimal places of the currency's minor unit as ISO 4217 lists them: JPY 0, KWD 3, nearly all others 2."""
    code = currency.upper()
    return 0 if code in _WITHOUT else 3 if code in _WITH_THREE else 2


def to_minor_unit(value: Decimal, currency: str) -> Decimal:
    """`value` rounded half-up (away from zero on a tie, so that a credit mirrors its charge) to the minor unit."""
    exact = value.quantize(_NOISE, rounding=ROUND_HALF_UP)
    return exact.quantize(Decimal(1).scaleb(-minor_unit_places(currency)), rounding=ROUND_HALF_UP)


def share(days: int, period_days: int) -> Decimal:
    """The part of a period that `days` of it are, half-up to 4 places: 22 of 31 days are 0.7097."""
    if not 0 <= days <= period_days or period_days == 0:
        raise ValueError(f"{days} of {period_days} days is not a part of a period")
    return (Decimal(days) / period_days).quantize(_SHARE, rounding=ROUND_HALF_UP)


def amount(units: int, price: Decimal, share: Decimal, currency: str) -> Decimal:
    """What one unit row costs: units x unit price x share of the period, half-up to the minor unit."""
    return to_minor_unit(units * price * share, currency)
