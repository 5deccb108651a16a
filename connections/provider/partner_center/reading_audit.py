"""What Partner Center's audit records tell since the last reading: what to look at, and when it changed.

Records are asked for by days, which count in UTC, so the first day is read again each time; what was taken before is
known by its id. A record is a hint: the subscription is read, and its day is when the difference took effect.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from connections.models import Hint
from connections.provider.partner_center import listing
from connections.provider.partner_center.hints import digest_of, take_hint
from connections.provider.partner_center.progress import Progress
from connections.provider.partner_center.shapes import AuditRecord

OF_SUBSCRIPTIONS = frozenset({"subscription", "order", "customer", "transfer", "partner_customer_relationship"})


def read(progress: Progress) -> bool:
    """Take the hints of each page with its place; False where time is up before the last one."""
    row = progress.row
    if row.cursor.get("stage") == "through":
        return True
    assert row.since
    today = progress.clock().astimezone(UTC).date()
    first = min(row.since.astimezone(UTC).date(), today)
    for page, following in listing.audit_records(progress.client, row.cursor.get("token", ""), first=first, last=today):
        progress.count("records", len(page))
        with progress.stored(token=following, stage="" if following else "through"):
            for record in page:
                _take(progress, record)
        if progress.is_over and following:
            return False
    return True


def _take(progress: Progress, record: AuditRecord) -> None:
    row = progress.row
    is_ours = record.resource_type in OF_SUBSCRIPTIONS and record.operation_status != "failed"
    if not is_ours or not record.customer_id or record.operation_date is None or record.operation_date < row.since:  # type: ignore[operator]
        return
    at = record.operation_date.isoformat()
    mark = record.id or f"{record.operation_type} {record.resource_type} {record.resource_new_value}"
    for subscription_id, said in _about(record):
        digest = digest_of("audit", mark, at, record.customer_id.lower(), subscription_id.lower())
        said |= {"at": at, "by": record.user_principal_name[:100]}
        target = {"customer_id": record.customer_id, "subscription_id": subscription_id}
        if take_hint(row.connection, Hint.Source.AUDIT, digest, **target, said=said, now=progress.clock()):
            progress.count("hints")


def _about(record: AuditRecord) -> Iterator[tuple[str, dict[str, Any]]]:
    """The subscriptions that a record names, with the quantity that it tells; "" for all of the customer's."""
    value = _plain(record.resource_new_value)
    if record.resource_type == "subscription":
        named = {item.key.lower(): item.value for item in record.customized_data}
        found = str(value.get("id") or named.get("subscriptionid") or "")
        quantity = value.get("quantity")
        is_told = isinstance(quantity, int) and not isinstance(quantity, bool) and quantity > 0
        yield found, {"quantity": quantity} if is_told else {}
    else:
        yield "", {}


def _plain(text: str) -> dict[str, Any]:
    """The resource in a record, its names in lower case; empty where it cannot be read."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {str(name).lower(): inner for name, inner in value.items()} if isinstance(value, dict) else {}
