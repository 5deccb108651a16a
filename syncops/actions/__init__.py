"""What people and recorded changes ask of the work: each function is one transaction with its audit entry."""

from syncops.actions.decisions import (
    NotPossible,
    decide_write,
    dismiss_operation,
    locked,
    locked_first,
    queue_again,
    release_line,
    retry_operation,
    sync_now,
)
from syncops.actions.intents import DRAIN, locked_stream, mapping_payload, plan_operation, price_payload
from syncops.actions.mapping import Refused, sync_to_connection, take_over

__all__ = [
    "DRAIN",
    "NotPossible",
    "Refused",
    "decide_write",
    "dismiss_operation",
    "locked",
    "locked_first",
    "locked_stream",
    "mapping_payload",
    "plan_operation",
    "price_payload",
    "queue_again",
    "release_line",
    "retry_operation",
    "sync_now",
    "sync_to_connection",
    "take_over",
]
