"""Every table of the app, one file per noun."""

from connections.models.budget import RequestBudget, RequestBudgetQuerySet, RequestSlot
from connections.models.connections import Connection, ConnectionQuerySet, ConnectionSecret
from connections.models.creations import Creation, CreationQuerySet
from connections.models.imports import (
    Hint,
    HintQuerySet,
    Pace,
    ProviderCustomer,
    ProviderImport,
    ProviderImportQuerySet,
    Registration,
)
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
    "Creation",
    "CreationQuerySet",
    "Hint",
    "HintQuerySet",
    "MirrorQuerySet",
    "MirrorRefresh",
    "MirrorRefreshQuerySet",
    "Mirrored",
    "MirroredCompany",
    "MirroredContract",
    "MirroredLine",
    "MirroredService",
    "Pace",
    "ProviderCustomer",
    "ProviderImport",
    "ProviderImportQuerySet",
    "Registration",
    "RequestBudget",
    "RequestBudgetQuerySet",
    "RequestSlot",
]
