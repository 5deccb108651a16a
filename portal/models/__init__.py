"""The business: who sells, who buys, what, at which price, and what happened."""

from portal.models.audit import AuditEntry, AuditHead
from portal.models.catalog import Offer, OfferVariant, Promotion, VariantPrice
from portal.models.imports import ImportRow, SheetImport
from portal.models.margins import MarginRule, MarginSettings
from portal.models.orders import Order, OrderLine
from portal.models.organizations import Organization, User
from portal.models.subscriptions import Customer, Subscription, SubscriptionChange, SubscriptionRequest

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Customer",
    "ImportRow",
    "MarginRule",
    "MarginSettings",
    "Offer",
    "OfferVariant",
    "Order",
    "OrderLine",
    "Organization",
    "Promotion",
    "SheetImport",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionRequest",
    "User",
    "VariantPrice",
]
