"""An engine and the Autotask stand-in with real HTTP between them."""

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import requests
from django.utils import timezone

from connections.actions import create_connection
from connections.models import Connection, MirroredContract
from connections.psa.types import Contract
from connections.registry import psa_for, try_credentials
from connections.sandbox.server import Sandbox
from portal.actions.subscriptions import record_change
from portal.audit import Actor
from portal.models import Subscription
from syncops.actions import sync_to_connection
from syncops.clock import Clock
from syncops.engine import Engine, Limits
from syncops.models import SyncOperation
from syncops.preview import MappingChoice, read_facts
from tests.cast import Cast, make_customer, make_subscription, make_variant
from tests.connections.sandbox.autotask_api import USER, database

TODAY = date(2026, 5, 10)
QUICK = Limits(quiet_s=0.3, connect_timeout_s=0.1, read_timeout_s=0.5, guard_margin_s=0.1, back_off_s=0.05, threads=1)


@dataclass
class Site:
    cast: Cast
    url: str
    connection: Connection
    subscription: Subscription
    limits: Limits = QUICK
    clock: Clock | None = None  # the machine's, unless a test moves its own by hand

    def control(self, name: str, body: Any = None, method: str = "POST", **query: Any) -> Any:
        answer = requests.request(method, f"{self.url}/_control/{name}", json=body, params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def fault(self, name: str, path: str = "ContractServiceAdjustments", times: int = 1) -> None:
        self.control("faults", {"fault": name, "method": "POST", "path": path, "times": times})

    def map(self, **fields: Any) -> SyncOperation:
        choice = MappingChoice(
            self.connection.pk, self.subscription.pk, company_id=10, service_id=31, contract_id=70, **fields
        )
        facts = read_facts(choice, psa_for(self.connection))
        return sync_to_connection(choice, facts, actor=self.cast.admin, today=TODAY, now=timezone.now())

    def change(self, quantity: int, day: date = TODAY) -> SyncOperation:
        return self.record("quantity_changed", day, quantity=quantity)

    def record(self, kind: str, day: date = TODAY, **after: Any) -> SyncOperation:
        """A fact about the subscription; the operation that follows from it."""
        self.subscription.refresh_from_db()
        change = record_change(
            self.subscription,
            kind=kind,
            effective_on=day,
            source="portal",
            after=after,
            actor=Actor.user(self.cast.admin),
            at=timezone.now(),
        )
        return SyncOperation.objects.get(change=change)

    def decide(self, **policies: Any) -> None:
        """Policies of the connection that differ from the defaults."""
        Connection.objects.filter(pk=self.connection.pk).update(policies_json=policies)

    def drain(self) -> None:
        self.connection.refresh_from_db()
        Engine(limits=self.limits, clock=self.clock).drain()

    def settle(self, operation: SyncOperation, seconds: float = 12) -> SyncOperation:
        """Drain until the operation is final or needs a person."""
        from portal.supervisor import time

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.drain()
            operation.refresh_from_db()
            if not operation.is_open:
                return operation
            time.sleep(0.05)
        raise AssertionError(f"still {operation.state}, waiting for {operation.waiting_for}")

    def rows(self) -> list[tuple[str, str, int, str]]:
        (line,) = self.control("ledger", method="GET", key="SUB-1")["lines"]
        return [(row["start"], row["end"], row["units"], str(row["unit_price"])) for row in line["rows"]]

    def units(self, day: date) -> int:
        return next(units for start, end, units, _ in self.rows() if start <= str(day) <= end)

    def writes(self) -> int:
        """How many adjustments the stand-in applied to our line."""
        return len(
            [
                one
                for one in self.control("journal", method="GET", key="SUB-1")["adjustments"]
                if one["outcome"] == "applied"
            ]
        )


@contextmanager
def open_site(cast: Cast, folder: Any, settings: Any, **options: Any):
    """A site with one subscription of 10 that is not mapped yet."""
    with Sandbox(folder, autotask_databases=[database()], **options) as sandbox:
        settings.AUTOTASK_ZONE_URL = f"{sandbox.autotask_url}/atservicesrest/v1.0/zoneInformation"
        requests.post(f"{sandbox.autotask_url}/_control/clock", json={"today": str(TODAY)}, timeout=10)
        key = uuid.uuid4()
        public = {"user_name": USER["user_name"]}
        secrets = {n: USER[n] for n in ("secret", "integration_code")}
        trial = try_credentials("autotask", public, secrets, key, organization=cast.csp)
        connection = create_connection(
            cast.csp,
            kind="autotask",
            name="Autotask",
            currency="EUR",
            settings=public,
            trial=trial,
            key=key,
            actor=Actor.user(cast.admin),
            now=datetime(2026, 5, 10, tzinfo=UTC),
        )
        contract = psa_for(connection).contract(70)
        assert isinstance(contract, Contract)
        MirroredContract.objects.create(
            connection=connection,
            remote_id=70,
            company_remote_id=10,
            name=contract.name,
            search_name="monthly",
            type_label=contract.type_label,
            period=contract.period,
            is_active=True,
            starts_on=contract.starts_on,
            ends_on=contract.ends_on,
            read_at=timezone.now(),
        )
        customer = make_customer(cast.csp, "Müller Bau")
        row = make_subscription(
            customer, make_variant(cast.csp), external_id="SUB-1", created_on=TODAY, starts_on=TODAY
        )
        yield Site(cast, sandbox.autotask_url, connection, row)
