"""A distribution side with memory: it keeps carts, orders and subscriptions, remembers request ids, and fails as told.

    provider = FakeProvider()
    provider.fail_next("checkout", "drop_after")     # apply, then lose the answer
    provider.fail_next("order_state", Unavailable("busy"))

A fault is an exception to raise before anything happens, or "drop_after": the verb does its work and raises
OutcomeUnknown. `calls` are the verbs as they came, `bought` the carts that were bought, once each.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from portal.far_side import FarSideError, OutcomeUnknown, Rejected
from portal.provider import (
    Checkout,
    LineRequest,
    OrderRequest,
    PlacedOrder,
    ProvisionedLine,
    RefusedLine,
    SubscriptionFacts,
)

STARTED = datetime(2026, 5, 10, 22, 30, tzinfo=UTC)  # 11 May in Brussels
ENDS_ON = date(2027, 5, 9)


class FakeProvider:
    """See the module. `patience`: how many times order_state says "pending" before an order is provisioned."""

    def __init__(self, patience: int = 1) -> None:
        self.patience = patience
        self.calls: list[str] = []
        self.request_ids: dict[str, list[UUID]] = defaultdict(list)
        self.bought: list[str] = []
        self.refuse_lines: dict[str, str] = {}
        self.fail_provisioning_of: set[str] = set()
        self.subscriptions: dict[str, SubscriptionFacts] = {}
        self.on_call = None
        self._faults: dict[str, list[FarSideError | str]] = defaultdict(list)
        self._carts: dict[str, OrderRequest] = {}
        self._answers: dict[UUID, object] = {}
        self._orders: dict[str, OrderRequest] = {}
        self._asked: dict[str, int] = defaultdict(int)

    def __call__(self, organization: object) -> "FakeProvider":
        return self

    def fail_next(self, verb: str, *faults: FarSideError | str) -> None:
        self._faults[verb].extend(faults)

    def create_cart(self, request: OrderRequest, *, request_id: UUID) -> str:
        return self._write("create_cart", request_id, lambda: self._new_cart(request))

    def checkout(self, request: OrderRequest, cart_id: str, *, request_id: UUID) -> Checkout:
        return self._write("checkout", request_id, lambda: self._buy(cart_id))

    def order_state(self, request: OrderRequest, order_ids: Sequence[str]) -> tuple[ProvisionedLine, ...]:
        self._enter("order_state")
        order_id = order_ids[0]
        self._asked[order_id] += 1
        if self._asked[order_id] <= self.patience:
            return tuple(ProvisionedLine(line.number, "pending") for line in request.lines)
        return tuple(self._provision(line, order_id) for line in request.lines)

    def change_quantity(
        self,
        customer_external_id: str,
        subscription_external_id: str,
        quantity: int,
        *,
        request_id: UUID,
        correlation_id: UUID | None = None,
    ) -> SubscriptionFacts:
        return self._write("change_quantity", request_id, lambda: self.set(subscription_external_id, quantity))

    def subscription(self, customer_external_id: str, subscription_external_id: str) -> SubscriptionFacts | None:
        self._enter("subscription")
        return self.subscriptions.get(subscription_external_id)

    def set(self, external_id: str, quantity: int) -> SubscriptionFacts:
        self.subscriptions[external_id] = SubscriptionFacts(external_id, "active", quantity, STARTED, ENDS_ON)
        return self.subscriptions[external_id]

    def _enter(self, verb: str) -> bool:
        """Note the call and raise its fault; True where the answer is to be lost after the work."""
        self.calls.append(verb)
        if self.on_call:
            self.on_call(verb)
        fault = self._faults[verb].pop(0) if self._faults[verb] else None
        if isinstance(fault, FarSideError):
            raise fault
        return fault == "drop_after"

    def _write(self, verb, request_id, work):
        lost = self._enter(verb)
        self.request_ids[verb].append(request_id)
        if request_id not in self._answers:
            self._answers[request_id] = work()
        if lost:
            raise OutcomeUnknown("The connection broke before an answer came.")
        return self._answers[request_id]

    def _new_cart(self, request: OrderRequest) -> str:
        cart_id = f"cart-{len(self._carts) + 1}"
        self._carts[cart_id] = request
        return cart_id

    def _buy(self, cart_id: str) -> Checkout:
        if cart_id in self.bought:
            raise Rejected("This cart was submitted already.", raw="800065")
        self.bought.append(cart_id)
        taken: list[LineRequest] = []
        refused = []
        for line in self._carts[cart_id].lines:
            if line.catalog_item_id in self.refuse_lines:
                refused.append(RefusedLine(line.number, self.refuse_lines[line.catalog_item_id], raw="10003"))
            else:
                taken.append(line)
        order_id = f"order-{len(self._orders) + 1}"
        self._orders[order_id] = self._carts[cart_id]
        return Checkout((PlacedOrder(order_id, tuple(line.number for line in taken)),), tuple(refused))

    def _provision(self, line: LineRequest, order_id: str) -> ProvisionedLine:
        if line.catalog_item_id in self.fail_provisioning_of:
            return ProvisionedLine(line.number, "failed", None, order_id, "Microsoft gave up on it.", "Order it again.")
        facts = SubscriptionFacts(
            f"ms-{order_id}-{line.number}", "active", line.quantity, STARTED, ENDS_ON, True, "", order_id
        )
        self.subscriptions[facts.external_id] = facts
        return ProvisionedLine(line.number, "completed", facts, order_id)
