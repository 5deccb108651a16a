"""An operation that succeeded is taken back: the line shows what follows from all the others, as if it had never been.

Which facts hold is decided before they are folded (`syncops.changes.holding`); the undo itself changes nothing more.
"""

from syncops.operations.base import Fact, Kind
from syncops.timeline import Timeline

UNDOES = "undoes"


def effect(timeline: Timeline, fact: Fact) -> Timeline:
    """Payload: `undoes`, the id of the operation that is taken back; that one may be an undo itself."""
    return timeline


KIND = Kind(name="undo", label="Undo", audit_name="Undo Operation", effect=effect, alone=True)
