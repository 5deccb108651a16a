"""The port to the distribution side, where subscriptions are bought and changed; `settings.PORTAL_PROVIDER` fills it.

Everything here is a frozen value. Failures are the errors of `portal.far_side`. A write carries a request id: the same
id means the same intent, so a repeat after `OutcomeUnknown` or `Unavailable` happens once. Microsoft's ids are compared
without case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from portal.models import Organization

LineState = Literal["pending", "completed", "failed"]


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One variant to buy. `number` is ours (0, 1, 2 … per order) and comes back with whatever is said about the line.

    `catalog_item_id` is product:sku:availability; `term` an ISO 8601 duration or "" (Azure plan, perpetual software);
    `billing` is monthly, annual, triennial, one_time or none.
    """

    number: int
    catalog_item_id: str
    quantity: int
    term: str
    billing: str
    friendly_name: str = ""
    promotion_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What to buy, for which Microsoft tenant.

    `partner_id` is the reseller's Microsoft partner id, "" for a direct customer. `correlation_id` joins every call of
    the order in Microsoft's own logs.
    """

    customer_external_id: str
    lines: tuple[LineRequest, ...]
    correlation_id: UUID
    partner_id: str = ""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order as Microsoft took it; one cart may become several (one per billing frequency)."""

    external_id: str
    line_numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that Microsoft did not take although it took others. `raw` is what it said."""

    number: int
    message: str
    advice: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What became of a cart: its orders, and the lines that were refused."""

    orders: tuple[PlacedOrder, ...]
    refused: tuple[RefusedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription as Microsoft shows it.

    `status` is a value of Subscription.Status. `started_at` is the moment the current term began, aware, UTC. `ends_on`
    is the term's last day, inclusive, a calendar date that is never shifted; None for an Azure plan and for perpetual
    software. `unit_price` is the CSP's own price per unit and billing period where Microsoft tells it.
    """

    external_id: str
    status: str
    quantity: int
    started_at: datetime | None
    ends_on: date | None
    auto_renew: bool = False
    friendly_name: str = ""
    order_external_id: str = ""
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProvisionedLine:
    """How far a line is. `subscription` is there once completed; a failed line says why and what to do."""

    number: int
    state: LineState
    subscription: SubscriptionFacts | None = None
    order_external_id: str = ""
    message: str = ""
    advice: str = ""
    raw: str = ""


class Provider(Protocol):
    """The distribution side of one organization. No call is made inside a database transaction."""

    def create_cart(self, request: OrderRequest, *, request_id: UUID) -> str:
        """Put the lines into a new cart and give its id. Nothing is bought yet; a forgotten cart expires by itself."""
        ...

    def checkout(self, request: OrderRequest, cart_id: str, *, request_id: UUID) -> Checkout:
        """Buy what the cart holds. Raises Rejected where nothing of it was taken."""
        ...

    def order_state(self, request: OrderRequest, order_ids: Sequence[str]) -> tuple[ProvisionedLine, ...]:
        """How far each line of `request` is, one answer per line.

        An order that cannot be read yet (Microsoft answers 404 for up to 15 minutes) is pending, not an error.
        """
        ...

    def change_quantity(
        self,
        customer_external_id: str,
        subscription_external_id: str,
        quantity: int,
        *,
        request_id: UUID,
        correlation_id: UUID | None = None,
    ) -> SubscriptionFacts:
        """Set the total quantity and give the subscription as it reads afterwards, with that quantity.

        Raises OutcomeUnknown where Microsoft took the change but does not show it yet.
        """
        ...

    def subscription(self, customer_external_id: str, subscription_external_id: str) -> SubscriptionFacts | None:
        """The subscription as it is now; None where Microsoft does not know it."""
        ...


def provider_for(organization: Organization) -> Provider:
    """The provider of the organization, made by the factory that settings name."""
    factory: Callable[[Organization], Provider] = import_string(settings.PORTAL_PROVIDER)
    return factory(organization)
