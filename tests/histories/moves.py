"""Subscriptions that are renewed, or go on elsewhere: as another offer, by another period, in parts, at a reseller."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from portal.actions import lifecycle
from portal.actions.lifecycle import UpgradedPart
from syncops.models import SyncOperation
from tests.histories.changes import is_on, learned, licence, new_operations, sometime, told
from tests.histories.oracle import DAY, Fact, Line
from tests.histories.subs import Sub
from tests.histories.world import MONTHLY, YEARLY, World

State = SyncOperation.State


def renew(world: World) -> None:
    """For a term that ends before the contract does, or behind it, at prices of its own."""
    sub = licence(world)
    if sub is None or not sub.is_ours or sub.status == "deleted":
        return
    day, policy = world.today, world.policies["renewal"]
    contract = world.grids[sub.line.contract] if sub.line else world.grids[MONTHLY]
    sub.ends_on, sub.promotion = contract.end + world.random.choice((-30, 30, 60)) * DAY, None
    sub.list_price, sub.erp = (
        Decimal(world.random.randrange(300, 450)) / 100,
        Decimal(world.random.randrange(450, 700)) / 100,
    )
    term = {"starts_on": day, "ends_on": sub.ends_on, "list_price": sub.list_price, "erp": sub.erp}
    unit, cost = world.price_of(sub, day)
    fact = {"price": unit, "cost": cost} if policy == "extend_and_reprice" else {"units": None}
    told(
        world,
        sub,
        day,
        f"renewed to {sub.ends_on} at ERP {sub.erp}, list {sub.list_price}",
        lambda: lifecycle.record_renewed(sub.row, learned(world, day), **term),  # type: ignore[arg-type]
        refused=policy == "refuse",
        **fact,
    )
    sub.status = "active"


def move(world: World) -> None:
    """Upgraded to another offer, or billed by another period."""
    sub = licence(world)
    if sub is None or sub.line is None or sub.status == "deleted" or sub.left:
        return
    service = 33 if world.random.random() < 0.5 else 30
    service = 31 if service == sub.line.service else service
    to, day = world.variants[service], max(sometime(world, sub), sub.since)
    if to == sub.variant:
        return
    cycle = 33 in (service, sub.line.service)
    kind, policy = ("move", "cycle_change") if cycle else ("pair", "upgrade")
    sub.list_price, sub.erp = (Decimal(48), Decimal(60)) if service == 33 else (Decimal(5), Decimal(6))
    prices = {"list_price": sub.list_price, "erp": sub.erp}
    if cycle:
        act = lambda: lifecycle.record_billing_cycle(sub.row, learned(world, day), to=to, **prices)  # noqa: E731
    else:
        act = lambda: lifecycle.record_upgraded(sub.row, learned(world, day), to=to, **prices)  # noqa: E731
    made = new_operations(act)
    sub.variant, old = to, sub.line
    world.tell(f"{sub.name}: {'billed' if cycle else 'upgraded'} as {service} on {day} ({made})")
    if len(made) == 1:
        assert made[0].state == State.UNSUPPORTED
        sub.left = sub.left or True
        world.lived["move not possible"] += world.policies[policy] == kind
        return
    assert world.policies[policy] == kind
    put, taken = made
    goes_on(world, sub, old, world.line(put.mapping.contract_id, service, sub), day, put, taken)
    assert put.mapping.contract_id == (YEARLY if service == 33 else MONTHLY)


def goes_on(world: World, sub: Sub, old: Line, new: Line, day: date, put: SyncOperation, taken: SyncOperation) -> None:
    is_on(taken, old)
    unit, cost = world.price_of(sub, day)
    sub.leaves(day)
    sub.goes_on(new, day)
    old.add(Fact(day, world.order(), taken.pk, "left", units=0))
    begins = {"units": sub.quantity, "price": unit, "cost": cost, "begins": True}
    new.add(Fact(day, world.order(), put.pk, "moved here", **begins))


def part(world: World) -> None:
    """Some seats become a subscription of their own, of another offer."""
    sub = licence(world)
    if sub is None or sub.quantity < 2 or sub.status != "active" or len(world.subs) > 3:
        return
    place = sub.line
    if place is None or place.service != 31 or sub.left:
        return
    day, moved = max(sometime(world, sub), sub.since), world.random.randrange(1, sub.quantity)
    name = f"SUB-{len(world.subs) + 1}"
    to, staying = world.variants[30], sub.quantity - moved
    detail = UpgradedPart(name, moved, to, Decimal(8), Decimal(9))
    made = new_operations(
        lambda: lifecycle.record_upgraded_in_part(sub.row, learned(world, day), staying=staying, part=detail)
    )
    sub.quantity = staying
    other_row = sub.row.customer.subscriptions.get(external_id=name)
    other = Sub(other_row, moved, to, Decimal(8), Decimal(9), sub.ends_on)
    world.tell(f"{sub.name}: {moved} seats become {name} on {day} ({made})")
    if len(made) == 1:
        assert made[0].state == State.UNSUPPORTED
        sub.left = sub.left  # a part that stays is the same offer
        world.lived["part not possible"] += world.policies["upgrade"] == "pair"
        return
    world.subs.append(other)
    put, taken = made
    is_on(taken, place)
    new = world.line(MONTHLY, 30, other)
    is_on(put, new)
    other.goes_on(new, day)
    unit, cost = world.price_of(other, day)
    new.add(Fact(day, world.order(), put.pk, "begun", units=moved, price=unit, cost=cost, begins=True))
    place.add(Fact(day, world.order(), taken.pk, "part left", units=staying))


def hand_over(world: World) -> None:
    """Another reseller bills it from now on."""
    sub = licence(world)
    if sub is None or not sub.is_ours or world.random.random() < 0.5:
        return
    day = sometime(world, sub)
    refused = world.policies["reseller_change"] == "refuse"
    place = sub.line_on(day)
    told(
        world,
        sub,
        day,
        "handed over",
        lambda: lifecycle.record_reseller(sub.row, learned(world, day), to=world.cast.reseller),
        refused=refused,
        units=0,
    )
    sub.is_ours = False
    if not refused and not sub.left and place and place[0] is sub.line:
        sub.leaves(max(day, sub.since))
