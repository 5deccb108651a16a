"""The service catalogues of the two Autotask databases: what somebody typed over the years, some of it exact."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .catalogue import BY_KEY, price

MONTHLY, QUARTERLY, SEMI_ANNUAL, YEARLY = 2, 3, 4, 5
RECURRING_CODE = 29683401
PERIODS = {MONTHLY: "monthly", YEARLY: "annual"}


@dataclass(frozen=True, slots=True)
class Service:
    """One row of a service catalogue. `plan` is (offer, term, cycle) where its price follows an offer, else None."""

    id: int
    name: str
    period: int
    plan: tuple[str, str, str] | None = None
    amounts: tuple[str, str] = ("0", "0")
    active: bool = True

    def amounts_in(self, currency: str) -> tuple[Decimal, Decimal]:
        """Price and cost of one unit for one period."""
        if self.plan is None:
            return Decimal(self.amounts[0]), Decimal(self.amounts[1])
        offer, term, cycle = self.plan
        found = price(BY_KEY[offer], term, cycle, currency)
        return found.retail, found.cost

    def as_entity(self, currency: str) -> dict[str, Any]:
        """The row with Autotask's own field names."""
        unit_price, unit_cost = self.amounts_in(currency)
        return {
            "id": self.id,
            "name": self.name,
            "description": self.name,
            "invoiceDescription": self.name,
            "periodType": self.period,
            "unitPrice": unit_price,
            "unitCost": unit_cost,
            "billingCodeID": RECURRING_CODE,
            "isActive": self.active,
        }


def _monthly(id_: int, offer: str, name: str = "", term: str = "P1Y", *, active: bool = True) -> Service:
    return Service(id_, name or BY_KEY[offer].title, MONTHLY, (offer, term, "monthly"), active=active)


def _yearly(id_: int, offer: str, name: str = "", term: str = "P1Y") -> Service:
    return Service(id_, name or BY_KEY[offer].title, YEARLY, (offer, term, "annual"))


EXACT_MONTHLY = (
    _monthly(101, "m365-basic"),
    _monthly(102, "m365-standard"),
    _monthly(103, "m365-premium"),
    _monthly(104, "apps-business"),
    _monthly(105, "m365-e3"),
    _monthly(106, "office-e3"),
    _monthly(107, "exchange-2"),
    _monthly(108, "entra-p2"),
    _monthly(109, "intune-1"),
    _monthly(110, "defender-business"),
    _monthly(111, "power-bi-pro"),
    _monthly(112, "visio-2"),
    _monthly(113, "copilot"),
    _monthly(114, "project-3"),
    _monthly(115, "m365-a3-edu"),
    _monthly(116, "office-a1-edu"),
    _monthly(117, "m365-e3-gov"),
    _monthly(118, "windows-365-e"),
)
NEAR_MONTHLY = (
    _monthly(131, "m365-e5", "Microsoft 365 E5 (monthly)"),
    _monthly(132, "office-e1", "O365 E1"),
    _monthly(133, "exchange-1", "Exchange Online Plan 1"),
    _monthly(134, "entra-p1", "Azure AD Premium P1"),
    _monthly(135, "defender-office", "Defender for Office 365 P1"),
    _monthly(136, "teams-phone", "Teams Phone Standard"),
    _monthly(137, "project-1", "Project Plan 1"),
    _monthly(138, "windows-365-b", "Windows 365 Business 2vCPU/4GB/128GB"),
    _monthly(139, "visio-1", "Visio Plan 1"),
    _monthly(140, "visio-1", "Visio Plan 1"),
    _monthly(141, "m365-basic", "Microsoft 365 Business Basic (month to month)", "P1M"),
    _monthly(142, "m365-standard", "Microsoft 365 Business Standard - P1M", "P1M"),
    _monthly(143, "exchange-1", "Exchange Online Plan 1 - month to month", "P1M"),
    _monthly(144, "m365-premium", "M365 Bus. Premium - 1 month term", "P1M"),
)
ANNUAL = (
    _yearly(151, "m365-premium"),
    _yearly(152, "m365-e3"),
    _yearly(153, "copilot"),
    _yearly(154, "m365-standard"),
    _yearly(155, "m365-a3-edu"),
    _yearly(156, "m365-e5", "Microsoft 365 E5 - 3 year, yearly", "P3Y"),
    _yearly(157, "exchange-1", "Exchange Online (Plan 1) yearly"),
    _yearly(158, "power-bi-pro", "PowerBI Pro (year)"),
    _yearly(159, "visio-2", "Visio Plan 2 yearly"),
)
AZURE = (
    Service(161, "Azure plan", MONTHLY),
    Service(162, "Azure plan incl. monitoring", MONTHLY, amounts=("49.00", "0")),
)
NOT_USABLE = (
    _monthly(171, "m365-premium", "Microsoft 365 Business Premium (old reseller)", active=False),
    Service(172, "Office 365 Business Premium", MONTHLY, amounts=("10.50", "8.40"), active=False),
    Service(173, "Skype for Business Online (Plan 2)", MONTHLY, amounts=("4.60", "3.70"), active=False),
    Service(174, "Microsoft 365 E5", QUARTERLY, amounts=("172.62", "138.10")),
    Service(175, "Power BI Pro", SEMI_ANNUAL, amounts=("78.60", "62.88")),
)
OTHER = (
    Service(181, "Managed workstation", MONTHLY, amounts=("32.50", "11.00")),
    Service(182, "Managed server", MONTHLY, amounts=("145.00", "48.00")),
    Service(183, "Backup per mailbox", MONTHLY, amounts=("2.75", "1.10")),
    Service(184, "Remote helpdesk per user", MONTHLY, amounts=("18.00", "0")),
    Service(185, "Firewall rental", QUARTERLY, amounts=("210.00", "120.00")),
    Service(186, "SSL certificate", YEARLY, amounts=("95.00", "38.00")),
    Service(187, "Domain name", YEARLY, amounts=("22.00", "9.50")),
)

PROVIDER_SERVICES = (*EXACT_MONTHLY, *NEAR_MONTHLY, *ANNUAL, *AZURE, *NOT_USABLE, *OTHER)

RESELLER_SERVICES = (
    _monthly(201, "m365-premium"),
    _monthly(202, "m365-standard", "M365 Business Standard"),
    _monthly(203, "m365-basic"),
    _monthly(204, "m365-e3"),
    _monthly(205, "power-bi-pro"),
    _monthly(206, "visio-2"),
    _monthly(207, "m365-a3-edu"),
    _monthly(208, "copilot"),
    _yearly(209, "m365-premium", "Microsoft 365 Business Premium - annual"),
    Service(210, "Azure Plan", MONTHLY),
    Service(211, "Managed desktop", MONTHLY, amounts=("28.00", "9.00")),
    _monthly(212, "m365-premium", "Microsoft 365 Business Premium (pre-2024)", active=False),
)

BY_ID = {service.id: service for service in (*PROVIDER_SERVICES, *RESELLER_SERVICES)}
