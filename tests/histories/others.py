"""What people do: those in Autotask, who edit lines and post periods, and ours, who map, undo, charge and extend."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from connections.models import Connection, MirroredContract
from connections.policies import Policies
from connections.psa.types import BillingCode
from connections.registry import psa_for
from connections.sandbox.autotask.entities import BY_LOWER_NAME
from connections.sandbox.autotask.records import update
from mappings.models import SubscriptionMapping
from portal.far_side import FarSideError
from portal.models import Offer
from syncops.actions import NotPossible, Refused, sync_now, sync_to_connection
from syncops.charges import charge_shortfalls, chargeable, draft_charge
from syncops.ending import end_mapping
from syncops.extensions import extend_contract, preview_extension
from syncops.models import SyncOperation, Write
from syncops.preview import MappingChoice, read_facts
from syncops.undoing import undo_operation
from tests.histories.changes import any_sub, is_on, new_operations
from tests.histories.oracle import DAY, Fact
from tests.histories.subs import Sub
from tests.histories.world import MONTHLY, World

UNMISTAKABLE = 97  # units; no change of ours is as large
MATERIAL = BillingCode(21, "Material")


def psa(world: World) -> Any:
    world.connection.refresh_from_db()
    return psa_for(world.connection, clock=lambda: world.time.now)


# Ours


def map_subscription(world: World, sub: Sub, since: str = "today") -> None:
    """Put it on the contract, on a line of its own or on one that is there already."""
    fields: dict[str, Any] = {"add_beside": True}
    free = [line for line in world.adopted if line not in world.lines]
    if free and not sub.billed and sub.variant == world.variants[31]:
        fields = {"adopt_line_id": free[0].line_id}
    service = next(key for key, variant in world.variants.items() if variant == sub.variant)
    contract = world.contract_of(service)
    choice = MappingChoice(world.connection.pk, sub.row.pk, 10, service, contract, since=since, **fields)  # type: ignore[arg-type]
    facts = read_facts(choice, psa(world))
    how = {"actor": world.actor, "today": world.today, "now": world.time.now}
    [operation] = new_operations(lambda: sync_to_connection(choice, facts, **how))  # type: ignore[arg-type]
    line = free[0] if "adopt_line_id" in fields else world.line(contract, service, sub)
    world.lived["taken over"] += line.base is not None
    if line not in world.lines:
        world.lines.append(line)
    is_on(operation, line)
    day = first_day(world, sub, contract, since)
    assert operation.effective_on == day
    unit, cost = world.price_of(sub, world.today)
    sub.goes_on(line, day)
    words = f"mapped with {sub.quantity} at {unit} from {day}"
    world.tell(f"{sub.name}: {words} to {line} (operation {operation.pk})")
    begins = {"units": sub.quantity, "price": unit, "cost": cost, "begins": True}
    line.add(Fact(day, world.order(), operation.pk, words, **begins))
    if service == 34 and not sub.is_azure:  # it is put there at a price first, so that there is one to take away
        Offer.objects.filter(pk=sub.variant.offer_id).update(category=Offer.Category.AZURE_PLAN)
        sub.row.refresh_from_db()
        sub.is_azure = True


def first_day(world: World, sub: Sub, contract: int, since: str) -> date:
    grid = world.grids[contract]
    day = {"today": world.today, "term": sub.row.starts_on}.get(since) or max(
        grid.start_of(world.today), sub.row.created_on
    )
    return max(day, grid.start)


def unmap(world: World) -> None:
    """Taken off its contract, or put on one again."""
    sub = any_sub(world)
    if sub.line is None:
        if sub.is_ours and sub.billed and sub.status == "active" and not sub.is_azure:
            with suppress(FarSideError, Refused):
                map_subscription(world, sub, world.random.choice(("today", "today", "open_period", "term")))
                world.lived["mapped again"] += 1
        return
    day, to_zero = max(world.today - world.random.choice((0, 0, 20)) * DAY, sub.since), world.random.random() < 0.7
    if not to_zero and day == sub.since:
        return
    mapping = SubscriptionMapping.objects.open().select_related("connection").get(subscription=sub.row)
    how = {"actor": world.actor, "today": world.today, "now": world.time.now}
    with suppress(NotPossible):
        made = new_operations(lambda: end_mapping(mapping, day=day, set_to_zero=to_zero, **how))  # type: ignore[arg-type]
        world.tell(f"{sub.name}: taken off from {day}, {'to 0' if to_zero else 'left as it is'} ({made})")
        line = sub.line
        sub.leaves(day, ended=bool(made) and not sub.left)
        if made:
            is_on(made[0], line)
            if not sub.left:
                line.add(Fact(day, world.order(), made[0].pk, "taken off", units=0))
        sub.left = False


def undo(world: World) -> None:
    """What was done is taken back, or what was taken back is done again."""
    done = SyncOperation.objects.filter(state="succeeded").exclude(kind="map_subscription").order_by("pk")
    if found := list(done):
        operation = world.random.choice(found)
        with suppress(NotPossible):
            made = undo_operation(operation, actor=world.cast.admin, now=world.time.now)
            world.tell(f"operation {operation.pk} is undone (operation {made.pk})")


def charge(world: World) -> None:
    """What is missing on posted days is billed by a charge."""
    sub = any_sub(world)
    mapping = SubscriptionMapping.objects.select_related("connection").filter(subscription=sub.row).first()
    if mapping is None:
        return
    with suppress(FarSideError):
        draft = draft_charge(mapping, chargeable(mapping), psa(world), today=world.today)
        if draft.can_be_made:
            made = charge_shortfalls(draft, MATERIAL, actor=world.cast.admin, now=world.time.now)
            world.tell(f"{sub.name}: {draft.unit_price} is charged on {draft.purchased_on} (operation {made.pk})")


def extend(world: World) -> None:
    """A contract that ends too early is extended: here, or in Autotask."""
    waiting = SyncOperation.objects.filter(error_kind="beyond_contract", state="failed").first()
    with suppress(FarSideError, NotPossible):
        if waiting is not None and world.random.random() < 0.7:
            wanted = preview_extension(waiting, psa(world))
            made = extend_contract(wanted, actor=world.cast.admin, today=world.today, now=world.time.now)
            world.tell(f"contract {waiting.mapping.contract_id} to {wanted.new_end} (operation {made.pk})")
            return
    if world.random.random() < 0.5:
        move_end(world, MONTHLY, world.ends(MONTHLY) + 60 * DAY)


def forget_contracts(world: World) -> None:
    """The mirror does not hold a contract any more, so it is read when it is needed."""
    MirroredContract.objects.filter(remote_id=MONTHLY).delete()
    world.tell("the mirror has lost the contract")


def change_policies(world: World) -> None:
    """A person decides otherwise from now on; what was decided about changes that are recorded stays."""
    row = Connection.objects.get()
    name = world.random.choice(("posted_period", "same_date", "price_change", "after_failure", "settle_minutes"))
    other = {
        "posted_period": ("next_open", "hold"),
        "same_date": ("next_day", "hold"),
        "price_change": ("set_price", "zero_and_restore"),
        "after_failure": ("continue", "hold_line"),
        "settle_minutes": (0, 5),
    }[name]
    world.policies[name] = world.random.choice(other)
    Policies.from_json(world.policies)
    row.policies_json = world.policies
    row.save(update_fields=["policies_json"])
    world.tell(f"policy {name}: {world.policies[name]}")


def sync(world: World) -> None:
    """A person presses Sync on a mapping."""
    mappings = SubscriptionMapping.objects.open().select_related("connection", "subscription").order_by("pk")
    if mappings:
        mapping = world.random.choice(list(mappings))
        with suppress(NotPossible):
            sync_now(mapping, actor=world.cast.admin, now=world.time.now)
            world.tell(f"{mapping.subscription.external_id}: Sync")


# Autotask's


def edit(world: World) -> None:
    """A person in Autotask adds units from some open day on, or takes away what people had added."""
    known = [(line, line_id) for line in world.lines if (line_id := world.line_id(line))]
    if not known:
        return
    line, line_id = world.random.choice(known)
    grid = world.grid(line.contract)
    first = max(grid.start, world.last_posted(line_id) + DAY)
    if first > grid.end:
        return
    day = min(first + world.random.randrange(90) * DAY, grid.end)
    starts = [start for start, _ in line.people if start > day]
    spare = min(sum(units for since, units in line.people if since <= start) for start in [day, *starts])
    units = world.random.choice((1, 2, 4, -spare if world.policies["foreign_change"] == "report" else 3))
    if Write.objects.filter(line_id=line_id, state__in=Write.UNPROVED).exists():
        units = UNMISTAKABLE  # what undoes or repeats a write to the unit looks like its fate to everybody
    with suppress(ValueError):  # this Autotask takes no second adjustment on that date
        world.far_side.ask("edit", {"line": line_id, "date": str(day), "unitChange": units})
        line.people.append((day, units))
        world.lived["edit"] += 1
        world.tell(f"in Autotask {units:+d} units on {line} from {day}")


def post(world: World) -> None:
    """The oldest open periods are approved and posted."""
    contract = world.random.choice(list(world.grids))
    grid = world.grid(contract)
    ends = [min(last, grid.end) for _, last in grid.periods()]
    passed = [end for end in ends if world.posted[contract] < end <= world.today + timedelta(days=31)]
    if passed:
        world.posted[contract] = world.random.choice(passed[:3])
        post_through(world, contract, world.posted[contract])


def post_through(world: World, contract: int, last: date) -> None:
    answer = world.far_side.ask("post", {"contract": contract, "through": str(last)})
    world.items += [item | {"contract": contract} for item in answer["items"]]
    world.lived["posted"] += 1
    world.tell(f"contract {contract} is posted through {last}")


def move_end(world: World, contract: int, end: date) -> None:
    database, changed = world.far_side.tenants.get(), {"id": contract, "endDate": str(end)}
    with database.writing():
        update(database, world.far_side.modes, BY_LOWER_NAME["contracts"], changed, None, whole=False)
    world.tell(f"in Autotask contract {contract} now ends on {end}")
