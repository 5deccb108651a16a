"""The executor: claims what is due, reads, plans, journals, writes, reads back, and settles."""

from syncops.engine.drain import Engine
from syncops.limits import Limits

__all__ = ["Engine", "Limits"]
