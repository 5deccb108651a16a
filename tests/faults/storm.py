"""Engines in threads against a PSA that loses and delays, while people click: `python -m tests.faults.storm SEED`.

Runs in a process of its own, on the database that the environment names, which has to be empty and migrated. Ends with
0 where every line shows in the end what was recorded and added, and no transaction waited for another in a circle.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any

SUBSCRIPTIONS, CONTRACTS, CLICKS, CLICKERS = 12, 4, 40, 3
DAY = timedelta(days=1)


class Stumbled(BaseException):
    """A worker that goes to pieces in the middle of a call."""


class Trouble(logging.Handler):
    """What the log says about circles of waiting transactions."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        if "deadlock" in text or "database is locked" in text:
            self.found.append(text[-1500:])


def unreliable(psa: Any, seed: int) -> Callable[[], None]:
    """Makes calls of the PSA fail, linger and kill at random; what is returned makes it reliable again."""
    chance, well = Random(seed), [False]
    adjust, unit_rows = psa.adjust, psa.unit_rows
    from portal.far_side import OutcomeUnknown, Unavailable

    def poor_adjust(request: Any) -> None:
        luck = 1.0 if well[0] else chance.random()
        if luck < 0.06:
            raise Unavailable("Not now.")
        if luck < 0.12:
            raise OutcomeUnknown("Nothing came.")
        adjust(request)
        if luck < 0.20:
            raise OutcomeUnknown("Nothing came back.")
        if luck < 0.23:
            raise Stumbled
        if luck < 0.25:
            time.sleep(1.7)  # longer than the lease

    def poor_rows(lines: Any, *, since: Any = None) -> Any:
        if not well[0] and chance.random() < 0.05:
            raise Unavailable("Not now.")
        return unit_rows(lines, since=since)

    psa.adjust, psa.unit_rows = poor_adjust, poor_rows
    return lambda: well.__setitem__(0, True)


class Storm:
    def __init__(self, seed: int) -> None:
        from connections.models import Connection, MirroredContract
        from syncops.engine import Limits
        from tests.cast import make_cast, make_customer, make_subscription, make_variant
        from tests.fake_psa import FakePsa, a_company, a_contract, a_service
        from tests.syncops.desk import NOON, TODAY

        self.seed, self.errors, self.over = seed, [], threading.Event()
        self.limits = Limits(
            lease_s=1.5,
            connect_timeout_s=0.05,
            read_timeout_s=0.1,
            quiet_s=0.3,
            back_off_s=0.02,
            drain_budget_s=1,
            batch=5,
        )
        self.cast = make_cast()
        ids = range(100, 100 + CONTRACTS)
        self.psa = FakePsa(
            companies=[a_company()], services=[a_service()], contracts=[a_contract(id=pk, name=f"C{pk}") for pk in ids]
        )
        self.connection = Connection.objects.create(
            organization=self.cast.csp, kind="autotask", name="Autotask", currency="EUR", state="active"
        )
        for pk in ids:
            MirroredContract.objects.create(
                connection=self.connection,
                remote_id=pk,
                company_remote_id=1,
                name=f"C{pk}",
                search_name=f"c{pk}",
                type_label="Recurring Service",
                period="monthly",
                is_active=True,
                starts_on=date(2026, 1, 1),
                ends_on=date(2027, 12, 31),
                read_at=NOON,
            )
        customer, variant = make_customer(self.cast.csp), make_variant(self.cast.csp)
        days = {"created_on": TODAY, "starts_on": TODAY}
        self.rows = [make_subscription(customer, variant, external_id=f"S{n}", **days) for n in range(SUBSCRIPTIONS)]
        self.people: dict[int, list[tuple[date, int]]] = {row.pk: [] for row in self.rows}
        self.locks = {row.pk: threading.Lock() for row in self.rows}
        self.today = TODAY

    # What people do

    def click(self, number: int) -> None:
        from portal.far_side import FarSideError

        chance = Random(self.seed * 100 + number)
        acts = (
            self.map,
            self.map,
            self.change,
            self.change,
            self.change,
            self.edit,
            self.retry,
            self.pause,
            self.promote,
        )
        for _ in range(CLICKS):
            with suppress(FarSideError):
                chance.choice(acts)(chance)
            time.sleep(chance.random() * 0.1)

    def map(self, chance: Random) -> None:
        from django.utils import timezone

        from syncops.actions import sync_to_connection
        from syncops.preview import MappingChoice, read_facts

        row = chance.choice(self.rows)
        choice = MappingChoice(self.connection.pk, row.pk, 1, 10, 100 + row.pk % CONTRACTS, add_beside=True)
        facts = read_facts(choice, self.psa)
        sync_to_connection(choice, facts, actor=self.cast.admin, today=self.today, now=timezone.now())

    def change(self, chance: Random) -> None:
        from django.utils import timezone

        from portal.actions.subscriptions import record_change
        from portal.audit import Actor
        from portal.models import Subscription

        row = Subscription.objects.get(pk=chance.choice(self.rows).pk)
        record_change(
            row,
            kind="quantity_changed",
            effective_on=self.today + chance.randrange(100) * DAY,
            source="portal",
            after={"quantity": chance.randrange(1, 40)},
            actor=Actor.user(self.cast.admin),
            at=timezone.now(),
        )

    def edit(self, chance: Random) -> None:
        from mappings.models import SubscriptionMapping

        row, day = chance.choice(self.rows), self.today + chance.randrange(100) * DAY
        mapping = SubscriptionMapping.objects.filter(subscription=row).first()
        if mapping and mapping.line_id:
            with self.psa._lock:
                self.psa.edit(mapping.line_id, day, self.psa.units_on(mapping.line_id, day) + 1)
            with self.locks[row.pk]:
                self.people[row.pk].append((day, 1))

    def retry(self, chance: Random) -> None:
        from syncops.actions import NotPossible, decide_write, retry_operation
        from syncops.models import SyncOperation

        now = {"actor": self.cast.admin}
        for operation in SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON):
            try:
                if operation.writes.filter(state="unknown"):
                    self.decide(operation, decide_write, **now)
                else:
                    retry_operation(operation, **now)
            except NotPossible:
                continue

    def decide(self, operation: Any, decide_write: Any, **who: Any) -> None:
        """What the line shows of everything that we sent tells whether the one in doubt is among it."""
        from django.utils import timezone

        from syncops.models import Write

        line = operation.mapping.line_id
        shown = sum(one.line_id == line for one in self.psa.applied)
        known = Write.objects.filter(line_id=line, kind="adjust", state__in=("applied", "accepted")).count()
        decide_write(operation, applied=shown > known, reason="Counted.", now=timezone.now(), **who)

    def pause(self, chance: Random) -> None:
        from django.utils import timezone

        from connections.actions import pause_connection, resume_connection
        from connections.refusals import Refused
        from portal.audit import Actor

        who = {"actor": Actor.user(self.cast.admin), "now": timezone.now()}
        self.connection.refresh_from_db()
        try:
            (pause_connection if chance.random() < 0.3 else resume_connection)(self.connection, **who)
        except Refused:
            return

    def promote(self, chance: Random) -> None:
        from django.utils import timezone

        from portal.actions.members import update_member
        from portal.audit import Actor

        role = chance.choice(("reader", "billing", "operations"))
        who = {"actor": Actor.user(self.cast.admin), "at": timezone.now()}
        update_member(self.cast.reader, role=role, is_active=True, **who)

    # Workers

    def drain(self, name: str) -> None:
        from syncops import tasks
        from syncops.engine import Engine

        while not self.over.is_set():
            try:
                tasks.sweep()
                Engine(limits=self.limits, psa=lambda connection, **how: self.psa, owner=name).drain()
            except Stumbled:
                continue
            time.sleep(0.02)

    def guarded(self, act: Callable[..., None], *args: Any) -> None:
        from django.db import connections

        try:
            act(*args)
        except Exception as error:
            self.errors.append(f"{act.__name__}: {error!r}")
            raise
        finally:
            connections.close_all()

    def rage(self) -> None:
        calm = unreliable(self.psa, self.seed)
        workers = [threading.Thread(target=self.guarded, args=(self.drain, f"worker {n}")) for n in range(2)]
        clickers = [threading.Thread(target=self.guarded, args=(self.click, n)) for n in range(CLICKERS)]
        for thread in (*workers, *clickers):
            thread.start()
        for thread in clickers:
            thread.join()
        calm()
        for _ in range(200):
            self.resume()
            self.retry(Random(1))
            if self.is_idle():
                break
            time.sleep(0.3)
        self.over.set()
        for thread in workers:
            thread.join()

    def resume(self) -> None:
        from connections.models import Connection

        Connection.objects.update(state="active")

    def is_idle(self) -> bool:
        from syncops.models import SyncOperation

        return not SyncOperation.objects.exclude(state__in=SyncOperation.FINAL).exists()

    # Afterwards

    def problems(self) -> list[str]:
        from portal.audit import breaks
        from portal.models import AuditEntry
        from syncops.models import Shortfall, SyncOperation, Write

        found = list(self.errors)
        found += [
            f"{one.kind} {one.state} {one.error}"
            for one in SyncOperation.objects.exclude(state__in=SyncOperation.FINAL)
        ]
        found += [f"audit: {place}" for place in breaks(self.cast.csp)]
        found += [f"not ended: {one}" for one in AuditEntry.objects.filter(status="in_progress", ended_by=None)]
        if Write.objects.filter(kind="adjust", state="applied").count() != len(self.psa.applied):
            found.append("not every write is journaled as it happened")
        if Shortfall.objects.exists():
            found.append("shortfalls, though nothing was posted")
        for row in self.rows:
            found += self.problems_of(row)
        return found

    def problems_of(self, row: Any) -> list[str]:
        from syncops.models import SyncOperation

        facts = list(
            SyncOperation.objects.filter(subscription=row, state="succeeded")
            .order_by("effective_on", "sequence")
            .values_list("effective_on", "payload__units", "mapping__line_id")
        )
        found = []
        for number in range(120):
            day = self.today + number * DAY
            past = [units for effective, units, _ in facts if effective <= day]
            expected = (past[-1] if past else 0) + sum(units for start, units in self.people[row.pk] if start <= day)
            shown = self.psa.units_on(facts[0][2], day) if facts else 0
            if shown != expected:
                found.append(f"{row.external_id} on {day}: {shown} instead of {expected}")
        return found[:2]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    trouble = Trouble()
    logging.getLogger().addHandler(trouble)
    storm = Storm(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    storm.rage()
    problems = trouble.found + storm.problems()
    print(*problems[:10], sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
