"""One history, from its seed: it is lived, with all that goes wrong, and then people look until nothing is left."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from functools import partial
from random import Random
from typing import Any

from syncops.actions import decide_write, dismiss_operation, release_line, retry_operation
from syncops.dues import go_on
from syncops.models import Stream, SyncOperation, Write
from syncops.stops import POSTED_SINCE
from syncops.waiting import take_up_extended
from tests.cast import Cast
from tests.histories import mishaps, others
from tests.histories.events import CHANGES, OTHERS
from tests.histories.far_side import Exchange, FarSide
from tests.histories.world import World

BEYOND = "beyond_contract"
MOST = 40


class History:
    """`leave_out`: numbers of events that do not happen this time; the others are as they were."""

    def __init__(self, cast: Cast, far_side: FarSide, seed: int, leave_out: frozenset[int] = frozenset()) -> None:
        self.world, self.seed, self.leave_out = World(cast, far_side, seed), seed, leave_out
        self.events = 0
        self.fates: dict[int, Exchange] = {}
        far_side.on_exchange = self.note

    def note(self, exchange: Exchange) -> None:
        """An adjustment is on its way: the one write that is being sent is it."""
        if exchange.path.endswith("ContractServiceAdjustments"):
            write = Write.objects.filter(kind="adjust").order_by("-pk").first()
            assert write is not None
            self.fates[write.pk] = exchange

    def play(self) -> None:
        world, chooser = self.world, Random(f"{self.seed}")
        length = how_many(self.seed, chooser)
        strides = (0, 0, 60, 3600, 86400, 5 * 86400, chooser.choice((30, 90)) * 86400)
        drawn: list[tuple[str, Callable[[World], None], int]] = [
            ("map", partial(others.map_subscription, sub=sub), 0)
            for sub in world.subs  # type: ignore[list-item]
        ]
        for _ in range(length):
            event = chooser.choice((*CHANGES, *CHANGES, *OTHERS, self.decide))
            drawn.append((event.__name__, event, chooser.choice(strides)))  # type: ignore[attr-defined, arg-type]
        self.events = len(drawn)
        for number, (name, event, stride) in enumerate(drawn):
            if number not in self.leave_out:
                self.happen(number, name, event, stride)
        world.lived["most changes"] += length == MOST

    def happen(self, number: int, name: str, event: Callable[[World], None], stride: int) -> None:
        world = self.world
        world.random = Random(f"{self.seed}:{number}")
        random.seed(f"{self.seed}:{number}:jitter")
        mishaps.note_hits(world)
        world.time.wait(stride)
        world.tell(f"[{number}] {name}")
        world.lived[name] += 1
        if world.random.random() < 0.3:
            mishaps.mend_credentials(world)
        event(world)
        mishaps.befall(world, name)
        self.work(world.random.randrange(4))

    # What is done about it

    def work(self, rounds: int) -> None:
        """Some drains, each at the time when something is due."""
        for _ in range(rounds):
            go_on(self.world.time.now)
            try:
                mishaps.engine(self.world).drain()
            except mishaps.Killed:
                self.world.time.wait(self.world.random.choice((1, 121)))
            assert_nobody_waits_silently()
            upcoming = Stream.objects.exclude(due=None).order_by("due").first()
            if upcoming is None:
                return
            moment = max(upcoming.due, upcoming.lease_until)
            self.world.time.wait(max(0, (moment - self.world.time.now).total_seconds()))

    def decide(self, world: World) -> None:
        """A person looks at what needs one: decides truly, retries, releases, sometimes dismisses."""
        self.release_what_waits_for_an_end(world)
        waiting = SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON).exclude(error_kind=BEYOND)
        for operation in waiting.order_by("pk"):
            unproved = list(operation.writes.filter(state__in=Write.UNPROVED))
            now: dict[str, Any] = {"actor": world.cast.admin, "now": world.time.now}
            world.lived[f"needs a person: {operation.error_kind}"] += 1
            if unproved:
                in_doubt = [write for write in unproved if write.state == "unknown"] or unproved
                applied = all(map(self.is_applied, in_doubt))
                world.tell(f"    operation {operation.pk}: a person says {'applied' if applied else 'not applied'}")
                decide_write(operation, applied=applied, reason="I looked.", **now)
            elif operation.error_kind in (POSTED_SINCE, "half_done", "no_line"):
                world.tell(f"    operation {operation.pk} is dismissed ({operation.error_kind})")
                dismiss_operation(operation, reason="Too late.", **now)
            elif operation.change_id and world.random.random() < 0.1 and not operation.writes.filter(state="applied"):
                world.tell(f"    operation {operation.pk} is dismissed, not wanted")
                dismiss_operation(operation, reason="Not wanted.", **now)
            elif world.policies["after_failure"] == "hold_line" and world.random.random() < 0.3:
                world.tell(f"    what waits behind operation {operation.pk} is released")
                release_line(operation, reason="Go on.", **now)
                world.lived["released"] += 1
            else:
                world.tell(f"    operation {operation.pk} is retried ({operation.error_kind})")
                retry_operation(operation, **now)

    def release_what_waits_for_an_end(self, world: World) -> None:
        """What lies behind the contract's end does not hold up what lies before it."""
        for operation in SyncOperation.objects.filter(state="failed", error_kind=BEYOND).order_by("pk"):
            if not operation.plan.get("released"):
                release_line(operation, reason="It may stay.", actor=world.cast.admin, now=world.time.now)

    def mend(self) -> None:
        """No mishap any more; people look at everything until nothing is left."""
        world = self.world
        mishaps.note_hits(world)
        world.far_side.ask("modes", {"same_date": "merge"})
        world.tell("[end] nothing goes wrong any more")
        for number in range(60):
            world.random = Random(f"{self.seed}:end:{number}")
            mishaps.mend_credentials(world)
            go_on(world.time.now)
            take_up_extended(world.time.now)
            self.work(rounds=12)
            if not Stream.objects.exclude(due=None) and not self.waiting_for_a_person():
                return
            self.decide(world)
        raise AssertionError(f"it never ends: {list(SyncOperation.objects.values_list('kind', 'state', 'error'))}")

    def waiting_for_a_person(self) -> bool:
        return SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON).exclude(error_kind=BEYOND).exists()

    def is_applied(self, write: Write) -> bool:
        """What the far side's own ledger says of a write."""
        database = self.world.far_side.tenants.get()
        if write.kind == "create_line":
            place = (write.contract_id, write.service_id, write.stream.subscription.external_id)
            where = "contractID = ? AND serviceID = ? AND internalDescription = ?"
            return bool(database.select("ContractServices", where, place))
        if write.kind == "charge":
            where = "internalPurchaseOrderNumber = ?"
            return bool(database.select("ContractCharges", where, (write.operation.payload["key"],)))
        if write.kind == "extend":
            return self.world.ends(write.contract_id) >= date.fromisoformat(write.operation.payload["extend_to"])
        return self.fates[write.pk].applied


def how_many(seed: int, chooser: Random) -> int:
    """Events: mostly few, so that many histories are played; now and then as many as there may be."""
    if seed % 50 == 49:
        return MOST
    return 12 if seed % 10 == 9 else chooser.choice((1, 2, 2, 3, 3, 4, 5, 6, 8))


def assert_nobody_waits_silently() -> None:
    silent = SyncOperation.objects.open().filter(stream__due=None)
    assert not silent, [(one.kind, one.state, one.waiting_for) for one in silent]
