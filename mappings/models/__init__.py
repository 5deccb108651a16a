"""Which of ours is which of theirs, and what is billed otherwise."""

from mappings.models.exceptions import Exclusion, ServiceOverride
from mappings.models.mapped import (
    ConnectionOwnedQuerySet,
    CustomerMapping,
    DefaultContract,
    MatchRun,
    OfferMapping,
    SubscriptionMapping,
    SubscriptionMappingQuerySet,
    Suggestion,
)

__all__ = [
    "ConnectionOwnedQuerySet",
    "CustomerMapping",
    "DefaultContract",
    "Exclusion",
    "MatchRun",
    "OfferMapping",
    "ServiceOverride",
    "SubscriptionMapping",
    "SubscriptionMappingQuerySet",
    "Suggestion",
]
