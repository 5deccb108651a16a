"""The contracts of the two Autotask databases, and the lines some of them already hold.

Dates hang on the day the ledger is made. A contract is usable for a subscription when it is a Recurring Service
contract, active, of the right company and currency, with the subscription's period, begun before the subscription and
not over. Most customers have one; Alpenrose Hotel also has one for nearly every reason not to be usable.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ..partner_center.terms import add_months
from .companies import COMPANY_IDS, FJORD_UK, GROENE_HART_TWIN, KLINIEK_OLD, RESELLER_COMPANY_IDS
from .services import BY_ID, MONTHLY, QUARTERLY, YEARLY

TIME_AND_MATERIALS, FIXED_PRICE, BLOCK_HOURS, RECURRING = 1, 3, 4, 7
ALPENROSE = COMPANY_IDS["alpenrose-hotel"]


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract. `starts` and `ends` count months from the current one; it runs from `day` to the day before.

    One of the 31st begins in the nearest earlier month that has a 31st.
    """

    id: int
    company: int
    name: str
    period: int | None = MONTHLY
    starts: int = -48
    ends: int = 60
    day: int = 1
    type: int = RECURRING
    active: bool = True

    def first_day(self, today: date) -> date:
        return self._anchor(today, self.starts)

    def last_day(self, today: date) -> date:
        return self._anchor(today, self.ends) - timedelta(days=1)

    def _anchor(self, today: date, months: int) -> date:
        while _day_in(today, months, self.day).day != self.day:
            months -= 1
        return _day_in(today, months, self.day)

    def as_entity(self, today: date) -> dict[str, Any]:
        """The contract with Autotask's own field names."""
        return {
            "id": self.id,
            "companyID": self.company,
            "contractName": self.name,
            "contractType": self.type,
            "contractPeriodType": self.period,
            "status": int(self.active),
            "startDate": self.first_day(today),
            "endDate": self.last_day(today),
            "timeReportingRequiresStartAndStopTimes": 0,
            "billingPreference": 2,
            "contractNumber": f"CSP-{self.id}",
        }


@dataclass(frozen=True, slots=True)
class Line:
    """A service on a contract. `changes`: (months from the current one, day, units added). Posted up to last month."""

    id: int
    contract: int
    service: int
    changes: tuple[tuple[int, int, int], ...]
    description: str = ""
    posted: bool = True

    def as_entity(self, today: date, currency: str) -> dict[str, Any]:
        """The line as the ledger is loaded with it; price and cost are those of the service."""
        price, cost = BY_ID[self.service].amounts_in(currency)
        entity: dict[str, Any] = {
            "id": self.id,
            "contractID": self.contract,
            "serviceID": self.service,
            "internalDescription": self.description,
            "units": [
                {"date": _day_in(today, months, day), "unitChange": units, "price": price, "cost": cost}
                for months, day, units in self.changes
            ],
        }
        if self.posted:
            entity["posted_through"] = today.replace(day=1) - timedelta(days=1)
        return entity


def _day_in(today: date, months: int, day: int) -> date:
    """That day of a month counted from the current one; a shorter month's last day stands in."""
    first = add_months(today.replace(day=1), months)
    return min(first + timedelta(days=day - 1), add_months(first, 1) - timedelta(days=1))


def _usable(id_: int, customer: str, name: str = "Microsoft 365 (CSP) monthly", **more: Any) -> Contract:
    return Contract(id_, COMPANY_IDS[customer], name, **more)


USABLE_MONTHLY = (
    _usable(3001, "noordzee-logistics"),
    _usable(3002, "bakkerij-velde"),
    _usable(3003, "alpenrose-hotel"),
    _usable(3004, "mueller-soehne"),
    _usable(3006, "hanseatic-shipping"),
    _usable(3007, "kliniek-linde", "Werkplek en Microsoft 365", day=15),
    _usable(3008, "brouwerij-hert", "Cloudabonnementen per maand", day=31),
    _usable(3009, "penalver-abogados"),
    _usable(3010, "odonnell-byrne"),
    _usable(3011, "groene-hart"),
    _usable(3012, "onderwijs-rijnmond", "Microsoft onderwijs (maand)"),
    _usable(3013, "gemeente-westerwold"),
    _usable(3014, "fjord-analytics"),
)
"""Begun four years ago, ending in five. Café Lumière has only one that is over, Tehnika Inženiring none."""

USABLE_YEARLY = tuple(
    _usable(number, customer, "Microsoft 365 (CSP) yearly", period=YEARLY)
    for number, customer in (
        (3101, "noordzee-logistics"),
        (3104, "mueller-soehne"),
        (3109, "penalver-abogados"),
        (3112, "onderwijs-rijnmond"),
        (3113, "gemeente-westerwold"),
    )
)

NOT_USABLE = (
    Contract(3201, ALPENROSE, "Onsite support", type=TIME_AND_MATERIALS, period=None),
    Contract(3202, ALPENROSE, "Microsoft 365 (former reseller)", active=False),
    Contract(3203, ALPENROSE, "Microsoft 365 from next quarter", starts=3),
    Contract(3204, ALPENROSE, "Firewall and Microsoft 365, quarterly", period=QUARTERLY),
    Contract(3205, ALPENROSE, "Microsoft 365 (CSP) yearly", period=YEARLY),
    Contract(3206, ALPENROSE, "Microsoft 365 (first agreement)", ends=-1),
    Contract(3207, ALPENROSE, "Azure from the 15th", day=15),
    Contract(3208, ALPENROSE, "Azure pilot", starts=-18, ends=7),
    Contract(3209, ALPENROSE, "Hotel Wi-Fi renovation", type=FIXED_PRICE, period=None),
    Contract(3210, ALPENROSE, "Prepaid hours", type=BLOCK_HOURS, period=None),
    Contract(3211, COMPANY_IDS["cafe-lumiere"], "Microsoft 365 (CSP) monthly", ends=-2),
    Contract(3212, COMPANY_IDS["odonnell-byrne"], "Microsoft 365 add-ons", starts=-6),
    Contract(3213, FJORD_UK, "Microsoft 365 (CSP) monthly GBP"),
    Contract(3214, GROENE_HART_TWIN, "Microsoft 365 (CSP) monthly"),
    Contract(3215, KLINIEK_OLD, "Microsoft 365 (CSP) monthly"),
)
"""One for every reason: see `INELIGIBLE`."""

INELIGIBLE = {
    "not recurring service": (3201, 3209, 3210),
    "inactive": (3202,),
    "starts after the subscription": (3203, 3212),
    "wrong period type": (3204, 3205),
    "ended": (3206, 3211),
    "azure not on day 1": (3207,),
    "azure ends within 12 months (warning)": (3208,),
    "other currency": (3213,),
    "other company": (3214,),
    "inactive company": (3215,),
}
"""Contracts of the provider's database by what keeps them out; 3205 fits yearly plans, 3212 fits new orders."""

OTHER = tuple(
    Contract(3301 + number, 1065 + number, "Managed workplace", starts=-20 - number, ends=16 + number)
    for number in range(10)
)

RESELLER_CONTRACTS = (
    *(
        Contract(4001 + number, company, "Microsoft 365 monthly")
        for number, company in enumerate(RESELLER_COMPANY_IDS.values())
    ),
    Contract(4011, RESELLER_COMPANY_IDS["brightwater-housing"], "Microsoft 365 yearly", period=YEARLY),
    Contract(4012, RESELLER_COMPANY_IDS["pennine-outdoor"], "Microsoft 365 (first agreement)", ends=-5),
    Contract(4013, RESELLER_COMPANY_IDS["kestrel-crowe"], "Ad hoc support", type=TIME_AND_MATERIALS, period=None),
)

PROVIDER_CONTRACTS = (*USABLE_MONTHLY, *USABLE_YEARLY, *NOT_USABLE, *OTHER)

PROVIDER_LINES = (
    Line(5001, 3002, 102, ((-9, 1, 7), (-4, 1, 2)), "added by hand"),
    Line(5002, 3001, 103, ((-12, 1, 40), (-7, 12, 5), (-1, 1, 3))),
    Line(5003, 3001, 181, ((-24, 1, 52), (-3, 1, -4))),
    Line(5004, 3007, 181, ((-15, 15, 38),)),
    Line(5005, 3006, 105, ((-11, 1, 100),), "Hanseatic E3 seats"),
    Line(5006, 3006, 182, ((-30, 1, 4),)),
    Line(5007, 3204, 185, ((-9, 1, 1),)),
    Line(5008, 3013, 184, ((-20, 1, 60),)),
    Line(5009, 3101, 186, ((-36, 1, 3),), posted=False),
    *(Line(5101 + number, 3301 + number, 181, ((-12, 1, 6 + number),)) for number in range(10)),
)
"""5001 is the line to adopt: Business Standard for Bakkerij Van der Velde, 9 units, which nobody has mapped yet."""

RESELLER_LINES = (
    Line(6001, 4002, 201, ((-7, 1, 31),)),
    Line(6002, 4001, 211, ((-18, 1, 120),)),
)
