"""Changing the quantity of a subscription: read it whole, send it whole, and read it back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

import structlog

from connections.provider.partner_center.client import PartnerCenter, Reply, code_of
from connections.provider.partner_center.shapes import Subscription, same_id, shaped
from connections.provider.partner_center.translate import facts, planned_for_renewal, with_planned, with_quantity
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unavailable
from portal.provider import SubscriptionFacts

log = structlog.get_logger(__name__)

UNKNOWN = frozenset({"404 20003", "404 1000"})
SHOWN_AFTER_S = (0.0, 1.0, 2.0, 3.0, 5.0)
"""Pauses before each reading back: a change may be answered 202 and show later."""


def subscription(client: PartnerCenter, customer_id: str, subscription_id: str) -> SubscriptionFacts | None:
    """The subscription as it is now; None where Microsoft does not know it."""
    try:
        body = client.get(*_path(customer_id, subscription_id))
    except Rejected as error:
        if code_of(error) in UNKNOWN:
            return None
        raise
    return facts(shaped(Subscription, body))


class QuantityChange:
    """One change of one subscription's quantity. `quantity` is the new total."""

    def __init__(
        self, client: PartnerCenter, customer_id: str, subscription_id: str, quantity: int, *, correlation_id: UUID
    ) -> None:
        self._client, self._quantity, self._correlation_id = client, quantity, correlation_id
        self._path = _path(customer_id, subscription_id)

    def make(self, request_id: UUID) -> SubscriptionFacts:
        """Send it unless it is done already, and give what is read back.

        Where the subscription was busy or changed in between, it is read and sent once more under a new id: Microsoft
        answers a request id that it has answered before with the same answer again, refusals included.
        """
        for sent_as in (request_id, uuid4()):
            before = self._read(self._path)
            if shaped(Subscription, before).quantity == self._quantity:
                return facts(shaped(Subscription, before))
            try:
                reply = self._send(with_quantity(before, self._quantity), sent_as)
                break
            except Unavailable as error:
                if sent_as != request_id or not _was_answered(error):
                    raise
        after = self._shown(reply.location or self._path)
        if planned_for_renewal(before) and not planned_for_renewal(after):
            self._plan_again(before, after, uuid5(request_id, "renewal"))
        return facts(shaped(Subscription, after))

    def _send(self, resource: Mapping[str, Any], request_id: UUID) -> Reply:
        etag = str((resource.get("attributes") or {}).get("etag") or "")
        return self._client.write(
            "PATCH",
            *self._path,
            body=resource,
            request_id=request_id,
            correlation_id=self._correlation_id,
            etag=etag,
        )

    def _shown(self, path: tuple[str, ...]) -> dict[str, Any]:
        """The resource once it shows the new quantity; `path` is where Microsoft told to look.

        Raises OutcomeUnknown where it does not show it within a few seconds.
        """
        for pause in SHOWN_AFTER_S:
            if pause:
                self._client.sleep(pause)
            try:
                resource = self._read(path)
            except FarSideError as error:
                raise _unproved("Microsoft took the change; reading it back failed.", error) from error
            if shaped(Subscription, resource, written=True).quantity == self._quantity:
                return resource
        raise OutcomeUnknown(
            "Microsoft took the change and does not show it yet.",
            "It is checked again by itself.",
            context={"correlation_id": str(self._correlation_id)},
        )

    def _plan_again(self, before: Mapping[str, Any], after: Mapping[str, Any], request_id: UUID) -> None:
        """Put back what was planned for the renewal, which Microsoft deletes with every change of the quantity.

        The seats are changed by now, so a failure here does not undo that; it is logged for a person.
        """
        try:
            self._send(with_planned(after, before), request_id)
        except FarSideError as error:
            log.error("partner_center.renewal_plan_lost", path="/".join(self._path), error=str(error), said=error.raw)

    def _read(self, path: tuple[str, ...]) -> dict[str, Any]:
        body = self._client.get(*path, correlation_id=self._correlation_id)
        if not same_id(shaped(Subscription, body).id, self._path[-1]):
            raise Unavailable("Partner Center answered with another subscription than the one asked for.")
        return dict(body)


def _was_answered(error: FarSideError) -> bool:
    """True for a refusal of the change itself; a throttle or a broken connection leaves the request id unused."""
    return bool(error.context.get("code")) or error.context.get("status") in ("409", "412")


def _unproved(message: str, error: FarSideError) -> OutcomeUnknown:
    return OutcomeUnknown(message, "It is checked again by itself.", error.raw, error.context)


def _path(customer_id: str, subscription_id: str) -> tuple[str, ...]:
    return ("customers", customer_id, "subscriptions", subscription_id)
