"""What happens to subscriptions: changes late and early, in bursts, and what each means by the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from portal.actions import lifecycle
from portal.actions.lifecycle import Learned
from portal.actions.margins import save_rule
from portal.actions.subscriptions import record_change
from portal.models import MarginRule
from syncops.margins import fan_out
from syncops.models import MarginUpdate, SyncOperation
from tests.histories.oracle import DAY, Fact, Line
from tests.histories.subs import Sub
from tests.histories.world import LEAP_DAY, World

State = SyncOperation.State


def any_sub(world: World) -> Sub:
    return world.random.choice(world.subs)


def licence(world: World) -> Sub | None:
    found = [sub for sub in world.subs if not sub.is_azure]
    return world.random.choice(found) if found else None


def sometime(world: World, sub: Sub) -> date:
    """When a change took effect: often today, sometimes long ago, sometimes soon."""
    late = world.random.choice((0, 0, 0, 1, 3, 20, 60, -5))
    day = max(world.today - late * DAY, world.begins)
    if abs(LEAP_DAY - world.today) < 60 * DAY and world.random.random() < 0.3:
        day = LEAP_DAY
    world.lived["leap day"] += day == LEAP_DAY
    world.lived["late change"] += day < world.today
    return day


def new_operations(act: Callable[[], Any]) -> list[SyncOperation]:
    """What was planned by `act`, in order."""
    last = SyncOperation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    return list(SyncOperation.objects.filter(pk__gt=last).order_by("pk").select_related("mapping", "subscription"))


def told(
    world: World, sub: Sub, day: date, what: str, act: Callable[[], Any], *, refused: bool = False, **fact: Any
) -> SyncOperation | None:
    """Record a change and note what it means for the line that bills the subscription then."""
    place = sub.line_on(day)
    made = new_operations(act)
    if place is None:
        assert not made, f"{sub.name} is billed nowhere, and {made} was planned"
        world.tell(f"{sub.name}: {what} on {day}; billed nowhere")
        return None
    if not made and sub.line is None:  # what was to end its line was dismissed
        world.tell(f"{sub.name}: {what} on {day}; its line was left alone")
        return None
    operation, *carried = made
    world.tell(f"{sub.name}: {what} on {day} (operation {operation.pk})")
    is_on(operation, place[0])
    if sub.left or refused:
        assert operation.state in (State.UNSUPPORTED, State.NOTHING_TO_SEND), operation.state
    elif fact:
        place[0].add(Fact(max(day, place[1]), world.order(), operation.pk, what, **fact))
    if what.endswith(" seats"):
        carry_on(world, sub, day, place, carried, fact["units"])
    else:
        assert not carried, carried
    return operation


def carry_on(
    world: World, sub: Sub, day: date, place: tuple[Line, date], carried: list[SyncOperation], units: int
) -> None:
    """One that became known late holds on the lines on which it went on since, too, unless a younger one does."""
    for line, first in sub.lines_after(max(day, place[1])):
        if any(day < known <= first for known in sub.quantities):
            break
        assert carried, f"{units} seats on {day} are not carried on to {line} on {first}"
        operation = carried.pop(0)
        is_on(operation, line)
        world.lived["carried on"] += 1
        if operation.state not in (State.UNSUPPORTED, State.NOTHING_TO_SEND):
            line.add(Fact(first, world.order(), operation.pk, "carried on", units=units))
    assert not carried, carried


def is_on(operation: SyncOperation, line: Line) -> None:
    mapping = operation.mapping
    assert (mapping.contract_id, mapping.service_id) == (line.contract, line.service), f"{operation} is not on {line}"


def record(world: World, sub: Sub, kind: str, day: date, **after: Any) -> Callable[[], Any]:
    return lambda: record_change(
        sub.row, kind=kind, effective_on=day, source="portal", after=after, actor=world.actor, at=world.time.now
    )


def learned(world: World, day: date) -> Learned:
    return Learned(day, "partner_center", world.actor, world.time.now)


def seats(world: World) -> None:
    """Another quantity, or a burst of them on one day."""
    sub = licence(world)
    if sub is None:
        return
    day, units = sometime(world, sub), world.random.choice((0, *range(1, 30)))
    burst = world.random.choice((1, 1, 1, 3))
    world.lived["burst"] += burst > 1
    for _ in range(burst):
        units += world.random.randrange(3)
        change_seats(world, sub, day, units)


def change_seats(world: World, sub: Sub, day: date, units: int) -> None:
    fact: dict[str, Any] = {"units": units, "starts": seats_start(world)}
    if sub.promotion:
        fact["price"], fact["cost"] = world.price_of(sub, day)
        world.lived["promotion"] += day <= sub.ends_on
    told(world, sub, day, f"{units} seats", record(world, sub, "quantity_changed", day, quantity=units), **fact)
    sub.quantity = units
    sub.quantities.append(day)


def seats_start(world: World) -> str:
    ways = {world.policies["seat_increase"], world.policies["seat_decrease"]}
    return ways.pop() if len(ways) == 1 else "either"


def price(world: World) -> None:
    """Other prices of one subscription, from the start of the period on."""
    sub = any_sub(world)
    day = sometime(world, sub)
    sub.list_price, sub.erp = (
        Decimal(world.random.randrange(300, 450)) / 100,
        Decimal(world.random.randrange(450, 700)) / 100,
    )
    act = record(world, sub, "price_changed", day, erp=sub.erp, list_price=sub.list_price)
    reprice(world, sub, day, f"ERP {sub.erp}, list {sub.list_price}", act)


def own_margin(world: World) -> None:
    """A margin for one subscription alone; from then on the customer's margins do not reach it."""
    sub = any_sub(world)
    if sub.status not in ("active", "suspended") or not sub.is_ours:
        return
    sub.rule = a_rule(world)
    row = MarginRule.objects.filter(subscription=sub.row).first() or MarginRule(
        organization=world.cast.csp, subscription=sub.row
    )
    row.kind, row.percent = sub.rule
    reprice(world, sub, world.today, f"margin {sub.rule}", lambda: save_rule(row, actor=world.actor, at=world.time.now))


def reprice(world: World, sub: Sub, day: date, what: str, act: Callable[[], Any]) -> None:
    unit, cost = world.price_of(sub, day)
    told(world, sub, day, what, act, refused=sub.is_azure, price=unit, cost=cost, starts="period")


def customer_margins(world: World) -> None:
    """New margins for the customer reach each subscription that is billed and has none of its own."""
    world.rule = a_rule(world)
    row = MarginRule.objects.filter(customer=world.customer).first() or MarginRule(
        organization=world.cast.csp, customer=world.customer
    )
    row.kind, row.percent = world.rule
    world.tell(f"customer margins {world.rule}")

    def act() -> None:
        save_rule(row, actor=world.actor, at=world.time.now)
        for update in MarginUpdate.objects.unfinished():
            while not fan_out(update.pk, world.time.now):
                pass

    made = {operation.subscription_id: operation for operation in new_operations(act)}
    for sub in world.subs:
        operation, day = made.get(sub.row.pk), world.today
        if operation is None:
            continue
        assert sub.rule is None
        assert sub.line is not None
        is_on(operation, sub.line)
        if sub.is_azure or sub.left:
            assert operation.state in (State.UNSUPPORTED, State.NOTHING_TO_SEND)
            continue
        unit, cost = world.price_of(sub, day)
        how = "next_period" if world.policies["margin_date"] == "next_period_start" else "on_date"
        words = f"{sub.name}: {unit} by the customer's margins from {day} (operation {operation.pk})"
        world.tell(words)
        sub.line.add(Fact(max(day, sub.since), world.order(), operation.pk, words, price=unit, cost=cost, starts=how))


def a_rule(world: World) -> tuple[str, Decimal]:
    kind = world.random.choice(("markup", "erp_discount", "split"))
    return kind, Decimal(world.random.randrange(0, 60 if kind != "erp_discount" else 15))


def pause(world: World) -> None:
    """Suspended, and mostly back some days later."""
    sub = any_sub(world)
    if sub.status != "active":
        return
    day = sometime(world, sub)
    suspend(world, sub, day)
    if world.random.random() < 0.8:
        reactivate(world, sub, day + world.random.randrange(40) * DAY)


def suspend(world: World, sub: Sub, day: date) -> None:
    sub.status = "suspended"
    act = lambda: lifecycle.record_suspended(sub.row, learned(world, day))  # noqa: E731
    if sub.is_azure:
        told(world, sub, day, "suspended", act, price=Decimal(0), cost=Decimal(0), starts="next_period")
        return
    refused = world.policies["licence_suspension"] == "leave"
    sub.zeroed = not refused and not sub.left
    told(world, sub, day, "suspended", act, refused=refused, units=0, suspends=True)


def reactivate(world: World, sub: Sub, day: date) -> None:
    sub.status = "active"
    act = lambda: lifecycle.record_reactivated(sub.row, learned(world, day))  # noqa: E731
    if sub.is_azure:
        refused = world.policies["reactivation"] == "leave"
        told(world, sub, day, "reactivated", act, refused=refused, returns="price", starts="next_period")
        return
    told(world, sub, day, "reactivated", act, refused=not sub.zeroed, returns="units")


def cancel(world: World) -> None:
    sub = any_sub(world)
    if sub.status in ("deleted",) or world.random.random() < 0.5:
        return
    day, kind = sometime(world, sub), world.random.choice(("cancelled", "migrated"))
    sub.status = "deleted"
    act = lifecycle.record_cancelled if kind == "cancelled" else lifecycle.record_migrated
    suspends = kind == "cancelled"
    told(world, sub, day, kind, lambda: act(sub.row, learned(world, day)), units=0, suspends=suspends)


def rename(world: World) -> None:
    sub = any_sub(world)
    name = f"Sales {len(world.story)}"
    told(
        world,
        sub,
        world.today,
        "renamed",
        lambda: lifecycle.record_details(sub.row, learned(world, world.today), friendly_name=name),
        refused=True,
    )
