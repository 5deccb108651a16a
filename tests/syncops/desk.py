"""A desk to try operations at: a connection to a PSA in memory, a clock that is set by hand, and an engine between
them.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connections.models import Connection, MirroredContract
from portal.audit import Actor
from portal.models import Subscription
from syncops.actions import sync_to_connection
from syncops.claim import claim_streams
from syncops.clock import Moment
from syncops.engine import Engine, Limits
from syncops.models import SyncOperation
from syncops.preview import MappingChoice, read_facts
from tests.cast import Cast, make_customer, make_subscription, make_variant
from tests.fake_psa import FakePsa, a_company, a_contract, a_service

TODAY = date(2026, 5, 10)
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@dataclass
class HandClock:
    """Both clocks, moved by hand; `slip` sets the wall clock alone."""

    now: datetime = NOON
    boot: float = 1000.0
    boot_id: str = "boot-1"

    def moment(self) -> Moment:
        return Moment(self.now, self.boot, self.boot_id)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.boot += seconds

    def slip(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    cast: Cast
    psa: FakePsa
    connection: Connection
    subscription: Subscription
    clock: HandClock = field(default_factory=HandClock)
    limits: Limits = field(default_factory=lambda: Limits(threads=1))
    today: date = TODAY

    def engine(self, owner: str = "worker-1") -> Engine:
        return Engine(clock=self.clock, limits=self.limits, psa=lambda connection, **how: self.psa, owner=owner)

    def drain(self) -> None:
        self.engine().drain()

    def choice(self, **fields: Any) -> MappingChoice:
        defaults = {
            "connection_id": self.connection.pk,
            "subscription_id": self.subscription.pk,
            "company_id": 1,
            "service_id": 10,
            "contract_id": 100,
        }
        return MappingChoice(**(defaults | fields))

    def map(self, **fields: Any) -> SyncOperation:
        """What pressing Confirm Sync does."""
        choice = self.choice(**fields)
        facts = read_facts(choice, self.psa)
        return sync_to_connection(choice, facts, actor=self.cast.admin, today=self.today, now=self.clock.now)

    def change_quantity(self, quantity: int, effective_on: date | None = None) -> None:
        """What a confirmed change at Microsoft does."""
        self.record("quantity_changed", effective_on, quantity=quantity)

    def record(self, kind: str, effective_on: date | None = None, **after: Any) -> SyncOperation | None:
        """A fact about the subscription; the operation that follows from it, if any."""
        from portal.actions.subscriptions import record_change

        self.subscription.refresh_from_db()
        change = record_change(
            self.subscription,
            kind=kind,
            effective_on=effective_on or self.today,
            source="portal",
            after=after,
            actor=Actor.user(self.cast.admin),
            at=self.clock.now,
        )
        return SyncOperation.objects.filter(change=change).first()

    def decide(self, **policies: Any) -> None:
        """Policies of the connection that differ from the defaults."""
        Connection.objects.filter(pk=self.connection.pk).update(policies_json=policies)

    def claim(self, owner: str = "worker-2"):
        return claim_streams(self.connection.pk, owner=owner, now=self.clock.now, seconds=120, at_most=10)

    @property
    def line(self) -> int:
        return self.subscription.mappings.get(ends_on=None).line_id

    def units(self, day: date) -> int:
        return self.psa.units_on(self.line, day)

    def adjustments(self) -> list[tuple[str, int]]:
        return [(str(one.effective), one.unit_change) for one in self.psa.applied]


def make_desk(cast: Cast, **subscription: Any) -> Desk:
    psa = FakePsa(companies=[a_company()], services=[a_service()], contracts=[a_contract()])
    connection = Connection.objects.create(
        organization=cast.csp, kind="autotask", name="Autotask", currency="EUR", state="active"
    )
    MirroredContract.objects.create(
        connection=connection,
        remote_id=100,
        company_remote_id=1,
        name="Microsoft 365 (CSP)",
        search_name="microsoft 365 (csp)",
        type_label="Recurring Service",
        period="monthly",
        is_active=True,
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 12, 31),
        read_at=NOON,
    )
    subscription = {"created_on": TODAY, "starts_on": TODAY, "external_id": "SUB-1"} | subscription
    row = make_subscription(make_customer(cast.csp), make_variant(cast.csp), **subscription)
    return Desk(cast, psa, connection, row)


def operation_of(desk: Desk, kind: str = "map_subscription") -> SyncOperation:
    return SyncOperation.objects.filter(subscription=desk.subscription, kind=kind).latest("pk")
