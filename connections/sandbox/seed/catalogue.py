"""What is for sale: the offers with their terms and prices, independent of any country.

Amounts are euros; `price` gives them in the currency of a market. A rate is Microsoft's suggested retail price of one
seat for one month on a yearly term that is paid at once. Other plans follow Microsoft's published surcharges: 5 % for
paying a longer term month by month, 20 % for a monthly term.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .identity import catalogue_code, guid

MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}
STANDARD = (("P1M", "monthly"), ("P1Y", "monthly"), ("P1Y", "annual"))
TRIENNIAL = (*STANDARD, ("P3Y", "monthly"), ("P3Y", "annual"), ("P3Y", "triennial"))
YEARLY = (("P1Y", "monthly"), ("P1Y", "annual"))
ONCE = (("", "one_time"),)

_RATES = {"EUR": Decimal(1), "GBP": Decimal("0.87"), "USD": Decimal("1.07")}
_PERIOD_MONTHS = {"monthly": 1, "annual": 12, "triennial": 36}
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Offer:
    """One SKU of one product.

    `kind` is licence, trial, azure_plan, reservation, perpetual or legacy; `retail` the rate in euros; `margin` the
    partner's share of it in per cent; `terms` the pairs of term duration and billing cycle it is sold on.
    """

    key: str
    product_id: str
    sku_id: str
    title: str
    retail: Decimal
    terms: tuple[tuple[str, str], ...] = STANDARD
    margin: int = 20
    kind: str = "licence"
    segment: str = "commercial"
    maximum: int = 10_000_000
    addon: bool = False

    @property
    def availability_id(self) -> str:
        return catalogue_code(self.product_id[:8], f"availability/{self.key}")

    @property
    def catalog_item_id(self) -> str:
        return f"{self.product_id}:{self.sku_id}:{self.availability_id}"

    @property
    def offer_id(self) -> str:
        """As a subscription names it: legacy offers have a GUID or a short code instead of three parts."""
        return self.product_id if self.kind == "legacy" else self.catalog_item_id

    @property
    def provisioning_id(self) -> str:
        return guid(f"provisioning/{self.key}")


@dataclass(frozen=True, slots=True)
class Price:
    """For one unit and one billing period: what the partner pays, and Microsoft's suggested retail price."""

    cost: Decimal
    retail: Decimal


def price(offer: Offer, term: str, cycle: str, currency: str) -> Price:
    """The price of one unit for one billing period of that plan (the whole amount where it is paid once)."""
    amount = offer.retail * _RATES[currency]
    if cycle in _PERIOD_MONTHS:
        amount *= _PERIOD_MONTHS[cycle] * _surcharge(term, cycle)
    retail = amount.quantize(_CENT, ROUND_HALF_UP)
    cost = (amount * (100 - offer.margin) / 100).quantize(_CENT, ROUND_HALF_UP)
    return Price(cost=cost, retail=retail)


def _surcharge(term: str, cycle: str) -> Decimal:
    if term == "P1M":
        return Decimal("1.20")
    return Decimal("1.05") if cycle == "monthly" else Decimal(1)


def _licence(key: str, product_id: str, sku_id: str, title: str, retail: str, **more: object) -> Offer:
    return Offer(key, product_id, sku_id, title, Decimal(retail), **more)  # type: ignore[arg-type]


OFFERS = (
    _licence("m365-basic", "CFQ7TTC0LH18", "0001", "Microsoft 365 Business Basic", "5.60", maximum=300),
    _licence("m365-standard", "CFQ7TTC0LDPB", "0001", "Microsoft 365 Business Standard", "11.70", maximum=300),
    _licence("m365-premium", "CFQ7TTC0LCHC", "0002", "Microsoft 365 Business Premium", "20.60", maximum=300),
    _licence(
        "m365-premium-trial", "CFQ7TTC0LCHC", "000T", "Microsoft 365 Business Premium Trial", "0",
        terms=(("P1M", "monthly"),), kind="trial", maximum=25,
    ),
    _licence("apps-business", "CFQ7TTC0LH1G", "0001", "Microsoft 365 Apps for business", "9.80", maximum=300),
    _licence("m365-e3", "CFQ7TTC0LFLX", "0001", "Microsoft 365 E3", "36.00", terms=TRIENNIAL),
    _licence("m365-e5", "CFQ7TTC0LFLZ", "0002", "Microsoft 365 E5", "54.80", terms=TRIENNIAL),
    _licence("office-e1", "CFQ7TTC0LF8Q", "0001", "Office 365 E1", "9.40"),
    _licence("office-e3", "CFQ7TTC0LF8R", "0001", "Office 365 E3", "21.60"),
    _licence("exchange-1", "CFQ7TTC0LH16", "0001", "Exchange Online (Plan 1)", "3.70"),
    _licence("exchange-2", "CFQ7TTC0LH1P", "0001", "Exchange Online (Plan 2)", "7.50"),
    _licence("entra-p1", "CFQ7TTC0LFLS", "0002", "Microsoft Entra ID P1", "5.60"),
    _licence("entra-p2", "CFQ7TTC0LFK5", "0001", "Microsoft Entra ID P2", "8.40"),
    _licence("intune-1", "CFQ7TTC0LCH4", "0009", "Microsoft Intune Plan 1", "7.50"),
    _licence("defender-business", "CFQ7TTC0J1GB", "0003", "Microsoft Defender for Business", "2.80", maximum=300),
    _licence("defender-office", "CFQ7TTC0LHXH", "0001", "Microsoft Defender for Office 365 (Plan 1)", "1.90"),
    _licence("power-bi-pro", "CFQ7TTC0L3PB", "0001", "Power BI Pro", "13.10"),
    _licence("visio-1", "CFQ7TTC0HD33", "0003", "Visio Plan 1", "4.70"),
    _licence("visio-2", "CFQ7TTC0HD32", "0002", "Visio Plan 2", "14.00"),
    _licence("project-1", "CFQ7TTC0HDB1", "0002", "Planner Plan 1", "9.40"),
    _licence("project-3", "CFQ7TTC0HDB0", "0001", "Planner and Project Plan 3", "28.10", terms=TRIENNIAL),
    _licence("teams-phone", "CFQ7TTC0LH0S", "0001", "Microsoft Teams Phone Standard", "9.40", addon=True),
    _licence(
        "windows-365-e", "CFQ7TTC0HHS9", "00DS", "Windows 365 Enterprise 2 vCPU 8 GB 128 GB", "38.30",
        terms=(("P1M", "monthly"), ("P1Y", "monthly")), margin=15,
    ),
    _licence(
        "windows-365-b", "CFQ7TTC0J203", "0003", "Windows 365 Business 2 vCPU 4 GB 128 GB", "29.00",
        terms=(("P1M", "monthly"), ("P1Y", "monthly")), margin=15, maximum=300,
    ),
    _licence(
        "copilot", "CFQ7TTC0MM8R", "0002", "Microsoft 365 Copilot", "28.10",
        terms=(*YEARLY, ("P3Y", "annual"), ("P3Y", "triennial")), margin=15, addon=True,
    ),
    _licence(
        "m365-a3-edu", "CFQ7TTC0LH0R", "000V", "Microsoft 365 A3 (Education Faculty Pricing)", "5.10",
        terms=YEARLY, segment="education", margin=15,
    ),
    _licence(
        "office-a1-edu", "CFQ7TTC0LF8W", "0006", "Office 365 A1 (Education Faculty Pricing)", "0.00",
        terms=YEARLY, segment="education", margin=0,
    ),
    _licence(
        "m365-e3-gov", "CFQ7TTC0LH03", "0001", "Microsoft 365 E3 (Government Pricing)", "31.70",
        terms=STANDARD, segment="government",
    ),
    _licence(
        "power-bi-gov", "CFQ7TTC0L3P9", "0004", "Power BI Pro (Government Pricing)", "11.50",
        terms=YEARLY, segment="government",
    ),
    _licence(
        "azure-plan", "DZH318Z0BPS6", "0001", "Azure plan", "0",
        terms=ONCE, margin=0, kind="azure_plan", maximum=1,
    ),
    _licence(
        "reserved-d4s", "DZH318Z0BQ4Z", "002L", "Reserved VM Instance, Standard_D4s_v5, EU West, 1 Year", "946.00",
        terms=(("P1Y", "one_time"),), margin=10, kind="reservation",
    ),
    _licence(
        "windows-server", "DG7GMGF0D5RK", "0005", "Windows Server 2025 Standard - 16 Core License Pack", "1069.00",
        terms=ONCE, margin=12, kind="perpetual",
    ),
    _licence(
        "sql-server", "DG7GMGF0FLR2", "0002", "SQL Server 2022 Standard - 2 Core License Pack", "3586.00",
        terms=ONCE, margin=12, kind="perpetual",
    ),
)  # fmt: skip

LEGACY = (
    _licence(
        "legacy-premium", "031C9E47-4802-4248-838E-778FB1D2CC05", "", "Office 365 Business Premium", "10.50",
        terms=(("P1Y", "monthly"),), kind="legacy", maximum=300,
    ),
    _licence(
        "legacy-exchange", "195416C1-3447-423A-B37B-EE59A99A19C4", "", "Exchange Online (Plan 1)", "3.40",
        terms=(("P1Y", "monthly"),), kind="legacy",
    ),
)  # fmt: skip

BY_KEY = {offer.key: offer for offer in (*OFFERS, *LEGACY)}
