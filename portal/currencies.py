"""Currencies: how many decimal places their money has."""

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217, where it is not 2
_WITHOUT_MINOR_UNIT = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_TEN_THOUSANDTHS = frozenset(["CLF", "UYW"])


def minor_unit_places(currency: str) -> int:
    """Decimal places of the currency's minor unit as ISO 4217 lists them: JPY 0, KWD 3, nearly all others 2."""
    code = currency.upper()
    if code in _WITHOUT_MINOR_UNIT:
        return 0
    if code in _THOUSANDTHS:
        return 3
    return 4 if code in _TEN_THOUSANDTHS else 2


def to_minor_unit(value: Decimal, currency: str) -> Decimal:
    """`value` rounded half-up to the currency's minor unit."""
    return value.quantize(Decimal(1).scaleb(-minor_unit_places(currency)), rounding=ROUND_HALF_UP)
