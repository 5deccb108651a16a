"""The distribution side of an organization: Microsoft Partner Center, reached through its CSP's connection."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.health import note_failure, note_success
from connections.models import Connection
from connections.provider.partner_center import carts, changes, provisioning
from connections.provider.partner_center.auth import Tokens
from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.credentials import StoredKeeper
from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable
from portal.models import Organization
from portal.provider import Checkout, OrderRequest, Provider, ProvisionedLine, SubscriptionFacts

PAUSED_S = 300.0


class PartnerCenterProvider:
    """Implements `portal.provider.Provider`. A reseller's orders must name its Microsoft partner id."""

    def __init__(self, connection: Connection, client: PartnerCenter, *, for_reseller: bool = False) -> None:
        self._connection, self._client, self._for_reseller = connection, client, for_reseller

    def create_cart(self, request: OrderRequest, *, request_id: UUID) -> str:
        if self._for_reseller and not request.partner_id:
            raise Rejected(
                "The reseller has no Microsoft partner id, so Microsoft would not know whose order this is.",
                "Enter the partner id in the reseller's settings, then submit the order again.",
            )
        with noted(self._connection):
            return carts.create_cart(self._client, request, request_id)

    def checkout(self, request: OrderRequest, cart_id: str, *, request_id: UUID) -> Checkout:
        with noted(self._connection):
            return carts.checkout(self._client, request, cart_id, request_id)

    def order_state(self, request: OrderRequest, order_ids: Sequence[str]) -> tuple[ProvisionedLine, ...]:
        with noted(self._connection):
            return provisioning.order_state(self._client, request, order_ids)

    def change_quantity(
        self,
        customer_external_id: str,
        subscription_external_id: str,
        quantity: int,
        *,
        request_id: UUID,
        correlation_id: UUID | None = None,
    ) -> SubscriptionFacts:
        change = changes.QuantityChange(
            self._client,
            customer_external_id,
            subscription_external_id,
            quantity,
            correlation_id=correlation_id or request_id,
        )
        with noted(self._connection):
            return change.make(request_id)

    def subscription(self, customer_external_id: str, subscription_external_id: str) -> SubscriptionFacts | None:
        with noted(self._connection):
            return changes.subscription(self._client, customer_external_id, subscription_external_id)


def for_organization(organization: Organization) -> Provider:
    """The provider of an organization: a reseller buys through its CSP.

    Raises Rejected where the CSP has no Partner Center connection or only rehearses, Unauthorized where a person has to
    store new credentials, Unavailable where the connection is paused.
    """
    connection = _connection(organization)
    return PartnerCenterProvider(
        connection, client_for(connection), for_reseller=organization.kind == Organization.Kind.RESELLER
    )


def client_for(connection: Connection) -> PartnerCenter:
    """The client with the stored credentials of a connection."""
    return PartnerCenter(Tokens(StoredKeeper(connection)), key=str(connection.key))


@contextmanager
def noted(connection: Connection) -> Iterator[None]:
    """Keep the connection's health true: refused credentials stop it, and an answer counts even where it says no."""
    try:
        yield
    except Unauthorized as error:
        mark_unauthorized(connection, error, now=timezone.now())
        raise
    except FarSideError as error:
        if error.context.get("code") or isinstance(error, Rejected):
            note_success(connection, now=timezone.now())
        else:
            note_failure(connection, error, now=timezone.now())
        raise
    note_success(connection, now=timezone.now())


def _connection(organization: Organization) -> Connection:
    """The tenant's Partner Center connection that orders go through; raises where it cannot be used now."""
    of_tenant = Connection.objects.filter(
        organization_id=organization.root_id, kind=Connection.Kind.PARTNER_CENTER
    ).select_related("organization")
    connection = of_tenant.filter(state=Connection.State.ACTIVE).first() or of_tenant.usable().first()
    if connection is None:
        raise Rejected(
            "There is no connection to Partner Center.",
            "Connect Partner Center first: Connections, Add a connection, Partner Center.",
        )
    if connection.state == Connection.State.UNAUTHORIZED:
        raise Unauthorized(
            f"Microsoft refuses the credentials of the connection {connection.name}.",
            connection.last_failure or "Open the connection and store new credentials.",
        )
    if connection.state == Connection.State.PAUSED:
        raise Unavailable(
            f"The connection {connection.name} is paused.",
            "Resume it on its page; what waits goes out then.",
            retry_after=PAUSED_S,
        )
    if connection.mode == Connection.Mode.REHEARSE:
        raise Rejected(
            f"The connection {connection.name} rehearses, so nothing is bought or changed through it.",
            "Set it live on its page, then do it again.",
        )
    return connection
