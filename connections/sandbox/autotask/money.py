"""What Autotask bills for a unit row.

Amount = units x unit price x share of the period, half-up to the currency's minor unit. The share of a row is its days
divided by the days of its period, half-up to four places.
"""

from decimal import ROUND_HALF_UP, Decimal

from .periods import Period, Row

MINOR_UNITS = {"BHD": 3, "CLP": 0, "ISK": 0, "JPY": 0, "JOD": 3, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}


def share(row: Row, period: Period) -> Decimal:
    return (Decimal(row.days) / period.days).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2)), ROUND_HALF_UP)


def amount(units: int, unit_price: Decimal, part: Decimal, currency: str) -> Decimal:
    return rounded(units * unit_price * part, currency)
