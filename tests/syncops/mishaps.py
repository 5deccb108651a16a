"""What tests of trouble share: a worker that is killed, a neighbour on the same connection, a change of policies."""

from typing import Any

from connections.models import Connection
from syncops.models import SyncOperation
from tests.cast import make_subscription
from tests.syncops.desk import TODAY, Desk, operation_of


class Killed(BaseException):
    """The worker's process is gone, whatever it was doing."""


def die() -> None:
    raise Killed


def neighbour(desk: Desk, key: str = "SUB-2") -> Desk:
    """Another subscription of the same offer, on the same connection and under the same clock."""
    row = make_subscription(
        desk.subscription.customer, desk.subscription.variant, external_id=key, created_on=TODAY, starts_on=TODAY
    )
    return Desk(desk.cast, desk.psa, desk.connection, row, clock=desk.clock)


def choose(desk: Desk, **policies: Any) -> None:
    Connection.objects.filter(pk=desk.connection.pk).update(policies_json=policies)
    desk.connection.refresh_from_db()


def keep_looking(desk: Desk, minutes: int = 15) -> None:
    """Let the clock run, with a worker that looks every 20 seconds."""
    for _ in range(minutes * 3):
        desk.clock.wait(20)
        desk.drain()


def change_of(desk: Desk) -> SyncOperation:
    return operation_of(desk, "change_quantity")


def asked(desk: Desk, verb: str) -> int:
    """How often the far side was asked this."""
    return sum(name == verb for name, _ in desk.psa.calls)
