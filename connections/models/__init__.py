"""Every table of the app, one file per noun."""

from connections.models.budget import RequestBudget, RequestBudgetQuerySet, RequestSlot
from connections.models.connections import Connection, ConnectionQuerySet, ConnectionSecret
from connections.models.mirror import (
    Mirrored,
    MirroredCompany,
    MirroredContract,
    MirroredLine,
    MirroredService,
    MirrorQuerySet,
    MirrorRefresh,
    MirrorRefreshQuerySet,
)

__all__ = [
    "Connection",
    "ConnectionQuerySet",
    "ConnectionSecret",
    "MirrorQuerySet",
    "MirrorRefresh",
    "MirrorRefreshQuerySet",
    "Mirrored",
    "MirroredCompany",
    "MirroredContract",
    "MirroredLine",
    "MirroredService",
    "RequestBudget",
    "RequestBudgetQuerySet",
    "RequestSlot",
]
