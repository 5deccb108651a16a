"""The world of one history: a CSP with a customer, its subscriptions, and the contracts that they are billed on.

What is kept here about a subscription is what was told of it, never what the product stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from connections import trials
from connections.models import Connection, MirroredContract
from mappings.models import CustomerMapping, OfferMapping
from portal.audit import Actor
from portal.models import OfferVariant, Promotion
from tests.cast import Cast, make_customer, make_subscription, make_variant
from tests.connections.sandbox.autotask_api import USER
from tests.histories.far_side import FarSide, Time
from tests.histories.oracle import DAY, Grid, Line
from tests.histories.subs import Sub

KEY = UUID(int=70)  # of the connection in every history, so that its session is one
ZONE = ZoneInfo("Europe/Brussels")
MONTHLY, YEARLY = 70, 72
LEAP_DAY = date(2028, 2, 29)
BEGINS = (date(2026, 5, 10), date(2026, 5, 10), date(2027, 9, 30))
SERVICES = {
    31: ("Basic", 2, 5, 4),
    30: ("Better", 2, 9, 8),
    33: ("Basic by the year", 5, 60, 48),
    34: ("Azure", 2, 0, 0),
}
CENT = Decimal("0.01")


class World:
    """`random` is that of the event which is going on, so that leaving one out changes no other."""

    def __init__(self, cast: Cast, far_side: FarSide, seed: int) -> None:
        self.cast, self.far_side, self.seed, self.random = cast, far_side, seed, Random(seed)
        self.actor = Actor.user(cast.admin)
        self.story: list[str] = []
        self.lived: Counter[str] = Counter()
        self.lines: list[Line] = []
        self.subs: list[Sub] = []
        self.orders = 0
        self.rule: tuple[str, Decimal] | None = None
        self.begins = self.random.choice(BEGINS)
        self.posted = {MONTHLY: date.min, YEARLY: date.min}
        self.items: list[dict[str, Any]] = []
        self.settled_gaps: set[int] = set()
        self.time = Time(datetime.combine(self.begins, datetime.min.time(), UTC) + timedelta(hours=12))
        self.customer = make_customer(cast.csp, "Contoso")
        self.grids = self._contracts()
        self.adopted = self._adopted_lines()
        self.modes = {"same_date": self.random.choice(("merge", "duplicate_error"))}
        far_side.begin(self.time, self._database(), **self.modes)
        self.connection = self._connection()
        self.policies = self._policies()
        self._catalogue()

    @property
    def today(self) -> date:
        """In the organization's zone."""
        return self.time.now.astimezone(ZONE).date()

    def tell(self, words: str) -> None:
        self.story.append(f"{self.time.now:%Y-%m-%d %H:%M:%S}  {words}")

    def order(self) -> int:
        self.orders += 1
        return self.orders

    def line(self, contract: int, service: int, sub: Sub) -> Line:
        """The line of this subscription's key, known or new."""
        known = (one for one in self.lines if (one.contract, one.service, one.key) == (contract, service, sub.name))
        found = next(known, None)
        if found is None:
            found = Line(contract, service, sub.name)
            self.lines.append(found)
        return found

    def contract_of(self, service: int) -> int:
        return YEARLY if service == 33 else MONTHLY

    def ends(self, contract: int) -> date:
        """The contract's last day, as the far side has it now."""
        [row] = self.far_side.tenants.get().select("Contracts", "id = ?", (contract,))
        return date.fromisoformat(row["endDate"][:10])

    def grid(self, contract: int) -> Grid:
        return replace(self.grids[contract], end=self.ends(contract))

    def line_id(self, line: Line) -> int | None:
        """Its id on the far side, where it is there."""
        if line.line_id is None:
            place, where = (
                (line.contract, line.service, line.key),
                "contractID = ? AND serviceID = ? AND internalDescription = ?",
            )
            found = self.far_side.tenants.get().select("ContractServices", where, place)
            assert len(found) < 2, f"{line} is there {len(found)} times"
            line.line_id = found[0]["id"] if found else None
        return line.line_id

    def rows(self, line_id: int) -> list[dict[str, Any]]:
        """Its unit rows in the far side's ledger, oldest first."""
        found = self.far_side.tenants.get().select("ContractServiceUnits", "contractServiceID = ?", (line_id,))
        return sorted(found, key=lambda row: row["startDate"])

    def last_posted(self, line_id: int) -> date:
        ends = [row["endDate"][:10] for row in self.rows(line_id) if row["approveAndPostDate"]]
        return date.fromisoformat(max(ends)) if ends else date.min

    def price_of(self, sub: Sub, day: date) -> tuple[Decimal, Decimal]:
        """Unit price and unit cost as the margins of this moment give them, for a purchase since 6 April 2026."""
        off = sub.promotion if sub.promotion and day <= sub.ends_on else Decimal(0)
        cost, erp = sub.list_price * (100 - off) / 100, sub.erp * (100 - off) / 100
        kind, percent = sub.rule or self.rule or ("", Decimal(0))
        ways = {
            "": erp,
            "markup": cost * (100 + percent) / 100,
            "erp_discount": erp * (100 - percent) / 100,
            "split": cost + percent / 100 * (erp - cost),
        }
        return max(ways[kind], cost).quantize(CENT, ROUND_HALF_UP), cost.quantize(CENT, ROUND_HALF_UP)

    # How it begins

    def _contracts(self) -> dict[int, Grid]:
        start = date(self.begins.year, 1, self.random.choice((1, 1, 15, 29, 30, 31)))
        end = self.begins + timedelta(days=self.random.randrange(150, 600))
        yearly = date(self.begins.year, self.random.choice((1, 2)), self.random.choice((1, 15, 28)))
        return {
            MONTHLY: Grid(start, end, 1),
            YEARLY: Grid(yearly, yearly + timedelta(days=self.random.randrange(500, 1100)), 12),
        }

    def _adopted_lines(self) -> list[Line]:
        """Lines that were on the contract before, for subscriptions that take one over."""
        found = []
        for number in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            since = self.grids[MONTHLY].start + self.random.randrange(60) * DAY
            found.append(Line(MONTHLY, 31, "", line_id=900 + number, base=(since, self.random.randrange(1, 20))))
        return found

    def _database(self) -> dict[str, Any]:
        contracts = [
            {
                "id": key,
                "companyID": 10,
                "contractName": f"Contract {key}",
                "contractType": 7,
                "status": 1,
                "timeReportingRequiresStartAndStopTimes": 0,
                "startDate": grid.start,
                "endDate": grid.end,
                "contractPeriodType": 2 if key == MONTHLY else 5,
            }
            for key, grid in self.grids.items()
        ]
        return {
            "key": "main",
            "name": "Alder Cloud",
            "currency": "EUR",
            "users": [USER],
            "companies": [{"id": 10, "companyName": "Contoso", "companyType": 1, "phone": "1"}],
            "billing_codes": [
                {"id": 20, "name": "Recurring", "isActive": True, "useType": 5, "unitPrice": 0, "unitCost": 0},
                {"id": 21, "name": "Material", "isActive": True, "useType": 4, "unitPrice": 3, "unitCost": 2},
            ],
            "services": [
                {"id": key, "name": name, "unitPrice": price, "unitCost": cost, "periodType": kind, "billingCodeID": 20}
                for key, (name, kind, price, cost) in SERVICES.items()
            ],
            "contracts": contracts,
            "lines": [
                {
                    "id": line.line_id,
                    "contractID": line.contract,
                    "serviceID": line.service,
                    "units": [{"date": line.base[0], "unitChange": line.base[1]}],
                }
                for line in self.adopted
                if line.base
            ],
        }

    def _connection(self) -> Connection:
        made = Connection.objects.create(
            organization=self.cast.csp,
            kind="autotask",
            name="Autotask",
            currency="EUR",
            state="active",
            key=KEY,
            settings={"user_name": USER["user_name"]},
            zone_url=f"{self.far_side.url}/ATServicesRest/V1.0",
            currencies=["EUR"],
        )
        trials.seal(made, {name: USER[name] for name in ("secret", "integration_code")}, self.time.now)
        for key, grid in self.grids.items():
            MirroredContract.objects.create(
                connection=made,
                remote_id=key,
                company_remote_id=10,
                name=f"Contract {key}",
                search_name=f"contract {key}",
                type_label="Recurring Service",
                period="monthly" if key == MONTHLY else "yearly",
                is_active=True,
                starts_on=grid.start,
                ends_on=grid.end,
                read_at=self.time.now,
            )
        return made

    def _policies(self) -> dict[str, Any]:
        often = self.random.choice
        chosen = {
            "posted_period": often(("next_open", "next_open", "hold")),
            "same_date": often(("next_day", "next_day", "hold")),
            "price_change": often(("set_price", "set_price", "zero_and_restore")),
            "settle_minutes": often((0, 0, 5)),
            "seat_increase": often(("on_date", "on_date", "next_period")),
            "seat_decrease": often(("on_date", "on_date", "next_period")),
            "licence_suspension": often(("leave", "zero", "zero")),
            "reactivation": often(("leave", "restore")),
            "after_failure": often(("continue", "continue", "hold_line")),
            "renewal": often(("refuse", "extend", "extend_and_reprice", "extend_and_reprice")),
            "cycle_change": often(("refuse", "move", "move")),
            "upgrade": often(("refuse", "pair", "pair")),
            "reseller_change": often(("refuse", "hand_over")),
            "margin_date": often(("completion_date", "next_period_start")),
            "foreign_change": often(("report", "report", "report", "put_back")),
        }
        Connection.objects.update(policies_json=chosen)
        return chosen

    def _catalogue(self) -> None:
        """Offers that are mapped to services, the customer who is mapped, and subscriptions that are not yet."""
        at, owner = self.time.now, self.cast.csp
        self.variants = {
            31: make_variant(owner),
            30: make_variant(owner, "Microsoft 365 E5", erp=Decimal(9), list_price=Decimal(8)),
            34: make_variant(owner, "Azure plan"),
        }
        self.variants[33] = OfferVariant.objects.create(
            offer=self.variants[31].offer, term="P1Y", billing="annual", availability_id="Y", search_text="basic"
        )
        CustomerMapping.objects.create(
            connection=self.connection, customer=self.customer, company_id=10, company_name="Contoso", created_at=at
        )
        for service, variant in self.variants.items():
            OfferMapping.objects.create(
                connection=self.connection,
                variant=variant,
                service_id=service,
                service_name=SERVICES[service][0],
                created_at=at,
            )
        kinds = ["licence"] * self.random.choice((1, 2, 2, 3))
        self.subs = [self._subscription(number, kind) for number, kind in enumerate(kinds, 1)]

    def _subscription(self, number: int, kind: str) -> Sub:
        variant = self.variants[34 if kind == "azure" else 31]
        row = make_subscription(
            self.customer,
            variant,
            external_id=f"SUB-{number}",
            created_on=self.begins,
            starts_on=self.begins,
            ends_on=self.begins + 364 * DAY,
        )
        sub = Sub(row, 10, variant, Decimal("4.00"), Decimal("5.00"), row.ends_on)
        if kind == "licence" and self.random.random() < 0.3:
            sub.promotion = Decimal(self.random.choice((10, 15)))
            row.promotion = Promotion.objects.create(
                owner=self.cast.csp,
                promotion_id=f"P-{number}",
                name="Spring",
                percent=sub.promotion,
                starts_on=self.begins,
                ends_on=self.begins + 30 * DAY,
            )
            row.save(update_fields=["promotion"])
        return sub
