"""Reading what Partner Center lists: resellers, customers page by page, what each holds, audit records."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connections.provider.partner_center.client import PartnerCenter, code_of, items_of
from connections.provider.partner_center.shapes import AuditRecord, Customer, Reseller, Subscription, shaped
from portal.far_side import Rejected, Unavailable

PAGE = "500"
RESELLERS = {"relationship_type": "IsIndirectCloudSolutionProviderOf"}
UNKNOWN = frozenset({"404 20003", "404 1000"})
NO_RESELLERS = frozenset({"400", "403", "404"})


@dataclass(frozen=True, slots=True)
class Bought:
    """What a customer holds; `unread` are the ids of subscriptions in a form that cannot be read."""

    subscriptions: tuple[Subscription, ...]
    unread: tuple[str, ...] = ()


def resellers(client: PartnerCenter) -> list[Reseller]:
    """The indirect resellers; none for a partner who has no such relations."""
    try:
        body = client.get("relationships", params=RESELLERS)
    except Rejected as error:
        if error.context.get("status") in NO_RESELLERS:
            return []
        raise
    return [shaped(Reseller, item) for item in items_of(body)]


def customers(client: PartnerCenter, token: str, *, reseller: str = "") -> Iterator[tuple[Sequence[Customer], str]]:
    """Pages of customers from a token on, each with the token of the next one; of one reseller where it is named."""
    params = {"size": PAGE}
    if reseller:
        about = {"Field": "IndirectReseller", "Value": reseller, "Operator": "starts_with"}
        params["filter"] = json.dumps(about, separators=(",", ":"))
    for items, following in client.paged("customers", params=params, token=token):
        yield [shaped(Customer, item) for item in items], following


def customer(client: PartnerCenter, customer_id: str) -> Customer:
    return shaped(Customer, client.get("customers", customer_id))


def subscriptions(client: PartnerCenter, customer_id: str) -> Bought:
    """All that a customer holds, in all states. One that cannot be read does not hide the others."""
    read: list[Subscription] = []
    unread: list[str] = []
    for item in items_of(client.get("customers", customer_id, "subscriptions")):
        try:
            read.append(shaped(Subscription, item))
        except Unavailable:
            unread.append(str(item.get("id", "")) if isinstance(item, dict) else "")
    return Bought(tuple(read), tuple(unread))


def subscription(client: PartnerCenter, customer_id: str, subscription_id: str) -> Subscription | None:
    """One subscription; None where Microsoft does not know it."""
    try:
        return shaped(Subscription, client.get("customers", customer_id, "subscriptions", subscription_id))
    except Rejected as error:
        if code_of(error) in UNKNOWN:
            return None
        raise


def audit_records(
    client: PartnerCenter, token: str, *, first: date, last: date
) -> Iterator[tuple[Sequence[AuditRecord], str]]:
    """Pages of audit records of some days, which count in UTC."""
    params = {"startDate": first.isoformat(), "endDate": last.isoformat(), "size": PAGE}
    for items, following in client.paged("auditrecords", params=params, token=token):
        yield [shaped(AuditRecord, item) for item in items], following
