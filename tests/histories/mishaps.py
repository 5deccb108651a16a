"""Everything that goes wrong on the way: each of the far side's faults at each step of a run, workers that die or stand
still, and people who write to the line at the worst moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import time_machine

from connections.actions import record_test, rotate_secrets
from connections.models import Connection
from connections.registry import try_connection, try_credentials
from portal.far_side import FarSideError
from syncops.engine import Engine, Limits
from tests.connections.sandbox.autotask_api import USER
from tests.histories import others
from tests.histories.world import KEY, World

STEPS = {  # method, path, how many like it come before
    "contract": ("GET", r"Contracts/\d+$", 0),
    "look-up": ("POST", "ContractServices/query$", 0),
    "creation": ("POST", r"Contracts/\d+/Services$", 0),
    "read before": ("POST", "ContractServiceUnits/query$", 0),
    "adjustment": ("POST", "ContractServiceAdjustments$", 0),
    "second adjustment": ("POST", "ContractServiceAdjustments$", 1),
    "read back": ("POST", "ContractServiceUnits/query$", 1),
    "charge look-up": ("POST", "ContractCharges/query$", 0),
    "charge": ("POST", r"Contracts/\d+/Charges$", 0),
    "extension": ("PATCH", "Contracts$", 0),
}
LINE = ("read before", "adjustment", "adjustment", "second adjustment", "read back", "contract")
OF_EVENT = {
    "map": ("look-up", "creation", "read before", "adjustment", "read back"),
    "move": ("look-up", "creation", "read before", "adjustment", "read back"),
    "part": ("look-up", "creation", "read before", "adjustment", "read back"),
    "charge": ("charge look-up", "charge"),
    "renew": ("contract", "extension", "read before"),
    "extend": ("contract", "extension"),
    "forget_contracts": ("contract",),
}
WRITES = ("creation", "adjustment", "second adjustment", "charge", "extension")
ANYWHERE = (
    "drop_before",
    "drop_after",
    "half_body",
    "half_body_before",
    "error_500_after",
    "error_502_after",
    "error_504_after",
    "error_500_json",
    "error_500_plain",
    "error_502",
    "error_503",
    "error_504",
    "too_many",
    "too_many_retry_after",
    "unauthorized",
    "slow:20",
    "slow:90",
    "slow:240",
    "slow_after:20",
    "slow_after:90",
    "zone_moved",
)
NEW_SECRET = "mended"
OTHER_MISHAPS = ("death", "lease", "edit", "post", "stale after write")


class Killed(BaseException):
    """The worker's process is gone, whatever it was doing."""


def faults_of(step: str) -> tuple[str, ...]:
    return (*ANYWHERE, "swallow" if step in WRITES else "stale_read")


def name_of(fault: str) -> str:
    return fault.partition(":")[0]


def befall(world: World, event: str) -> None:
    """At most one mishap per event, on the way of what the event brings about."""
    step = world.random.choice(OF_EVENT.get(event, LINE))
    kind = world.random.choice(("", "fault", "fault", "fault", "fault", *OTHER_MISHAPS))
    method, path, skip = STEPS[step]
    if kind == "fault":
        fault = world.random.choice(faults_of(step))
        times = None if fault == "unauthorized" else world.random.choice((1, 1, 2))
        text = "40" if fault == "too_many_retry_after" else ""
        script = {"fault": fault, "method": method, "path": path, "skip": skip, "times": times, "text": text}
        world.far_side.ask("faults", script)
        world.tell(f"    mishap: {fault} at {step}")
    elif kind:
        world.tell(f"    mishap: {kind} at {step}")
        world.far_side.meanwhile(method, path, _action(world, kind))


def _action(world: World, kind: str) -> Callable[[], object]:
    def die() -> None:
        world.lived["mishap death"] += 1
        world.tell("    the worker dies")
        raise Killed

    def usurp() -> None:
        """This worker stands still for longer than its lease, and another one goes on."""
        world.lived["mishap lease"] += 1
        world.tell("    the worker stands still, another goes on")
        world.time.wait(130)
        engine(world, "usurper").drain()

    def stale() -> None:
        world.lived["mishap stale after write"] += 1
        world.far_side.ask("faults", {"fault": "stale_read", "method": "POST", "path": "ContractServiceUnits/query$"})

    def meddle() -> None:
        world.lived[f"mishap {kind}"] += 1
        (others.edit if kind == "edit" else others.post)(world)

    return {"death": die, "lease": usurp, "stale after write": stale}.get(kind, meddle)


def engine(world: World, owner: str = "worker") -> Engine:
    return Engine(clock=world.time, limits=Limits(threads=1), owner=owner)


def note_hits(world: World) -> None:
    """Which faults struck, and where; then forget them."""
    for fault in world.far_side.faults._faults:
        steps = [step for step, at in STEPS.items() if at == (fault.method.pattern, fault.path.pattern, fault.skip)]
        for step in steps or _skipped(fault):
            if fault.hits:
                world.lived.update({f"fault {fault.name}": fault.hits, f"at {step}": fault.hits})
                world.lived[f"{fault.name} at {step}"] += fault.hits
    world.far_side.calm()


def _skipped(fault: object) -> list[str]:
    found = [s for s, at in STEPS.items() if at[:2] == (fault.method.pattern, fault.path.pattern)]  # type: ignore[attr-defined]
    return found[-1:]


def mend_credentials(world: World) -> None:
    """A person sets the credentials right: the far side lets the user in again, or there is a new secret."""
    row = Connection.objects.get()
    if row.state != Connection.State.UNAUTHORIZED:
        return
    world.far_side.faults.clear()
    assert all(not user["locked"] for user in world.far_side.access.users())
    world.lived["credentials mended"] += 1
    with suppress(FarSideError), time_machine.travel(world.time.now, tick=False):
        _mend(world, row, world.time.now)


def _mend(world: World, row: Connection, now: datetime) -> None:
    if world.random.random() < 0.5:
        record_test(row, try_connection(row), actor=world.actor, now=now)
    else:
        user = USER | {"secret": f"{NEW_SECRET}-{world.orders}"}
        world.far_side.access.put_user("main", user)
        secrets = {name: user[name] for name in ("secret", "integration_code")}
        public = {"user_name": USER["user_name"]}
        trial = try_credentials("autotask", public, secrets, KEY, organization=world.cast.csp)
        rotate_secrets(row, settings=public, trial=trial, actor=world.actor, now=now)
    world.tell("a person mends the credentials")
