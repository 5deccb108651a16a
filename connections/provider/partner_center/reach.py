"""Whether and how a connection can be read."""

from collections.abc import Callable
from datetime import datetime

from connections.models import Connection
from connections.provider.partner_center.auth import Tokens
from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.credentials import StoredKeeper
from connections.provider.partner_center.pacing import pace_of
from connections.refusals import Refused

READS = (Connection.State.ACTIVE, Connection.State.PAUSED)


def must_be_readable(connection: Connection) -> None:
    """Refused where nothing can be read through it."""
    if connection.kind != Connection.Kind.PARTNER_CENTER:
        raise Refused("Subscriptions are read through a connection to Partner Center.")
    if connection.organization.parent_id is not None:
        raise Refused("Resellers are read through the connection of their provider.")
    if connection.state not in READS:
        raise Refused(f"It is {connection.get_state_display().lower()}. Press Test first.")


def client_of(connection: Connection, *, bulk: bool, clock: Callable[[], datetime]) -> PartnerCenter:
    """The client with the stored credentials, at the pace that the tenant allows."""
    pace = pace_of(connection, bulk=bulk, clock=clock)
    return PartnerCenter(Tokens(StoredKeeper(connection)), key=str(connection.key), pace=pace)
