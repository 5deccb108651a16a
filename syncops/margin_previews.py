"""What new margins would send and bill, line by line, before anybody saves them; and kept for what comes of it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connections.models import Connection, MirroredContract
from connections.psa.types import UnitRow
from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal.far_side import FarSideError
from syncops import plans
from syncops.jobs import CUT_OTHERWISE
from syncops.lines import rows_of, term_of
from syncops.models import MarginPreview, Stream, SyncOperation
from syncops.operations import REGISTRY, change_margins, change_price
from syncops.operations.base import Fact
from syncops.periods import PeriodGrid
from syncops.planning import History, histories_of, plan_line
from syncops.preview import ChangePreview, adjustments_of, bills_of, shortfalls_of

KEPT_FOR = timedelta(days=2)
NOT_THERE = "The line is not on the contract yet; the new price goes out with it."
Prices = Mapping[int, tuple[Decimal, Decimal | None]]


def preview_margins(
    mappings: Sequence[SubscriptionMapping], prices: Prices, *, own: bool, today: date
) -> list[ChangePreview]:
    """What new prices (unit price and cost by subscription) would do to these lines: one read for each connection, and
    the same number of queries for any number of lines. `own`: the margin of one subscription, else of customers.
    """
    streams = {
        (one.connection_id, one.subscription_id): one
        for one in Stream.objects.filter(subscription__in=[one.subscription_id for one in mappings])
    }
    contracts = _contracts(mappings)
    ready = [
        one for one in mappings if one.line_id and one.starts_on and _place(one) in streams and one.pk in contracts
    ]
    waiting = _waiting(ready)
    histories = histories_of([(streams[_place(one)], one) for one in ready])
    rows, problem = _rows(ready, contracts, waiting, today)
    found = []
    for one in mappings:
        if one not in ready:
            found.append(ChangePreview(one, problem=NOT_THERE))
        elif one.connection_id in problem:
            found.append(ChangePreview(one, problem=problem[one.connection_id]))
        else:
            fact, held = _fact(one, prices, own, today), rows[one.line_id or 0]
            history = histories[streams[_place(one)].pk]
            found.append(_preview(one, fact, held, history, waiting[one.pk], contracts[one.pk], today))
    return found


def _preview(
    mapping: SubscriptionMapping,
    fact: Fact,
    rows: list[UnitRow],
    history: History,
    waiting: list[SyncOperation],
    contract: MirroredContract,
    today: date,
) -> ChangePreview:
    days = [fact.effective, *(one.effective_on for one in waiting if one.effective_on)]
    if not REGISTRY[fact.kind].reaches_back:  # as the run reads them, so that the two can be compared
        rows = [row for row in rows if row.ends_on >= min(days)]
    planned = plan_line(mapping, history=history, operations=waiting, new=[fact], rows=rows, contract=contract)
    currency = mapping.connection.currency
    seen = plans.preview(planned.plan, rows_of(rows), planned.term, currency, today)
    return ChangePreview(mapping, adjustments_of(seen), bills_of(seen), shortfalls_of(planned.plan, currency))


def _fact(mapping: SubscriptionMapping, prices: Prices, own: bool, today: date) -> Fact:
    price, cost = prices[mapping.subscription_id]
    kind = (change_price if own else change_margins).KIND
    payload = {"price": str(price), "cost": None if cost is None else str(cost)}
    day = max(today, mapping.starts_on or today)
    return Fact(kind.name, day, payload, policies=mapping.connection.policies)


def _place(mapping: SubscriptionMapping) -> tuple[int, int]:
    return mapping.connection_id, mapping.subscription_id


def _contracts(mappings: Sequence[SubscriptionMapping]) -> dict[int, MirroredContract]:
    """The contract of each mapping as it was last read, by the mapping's id."""
    rows = MirroredContract.objects.filter(
        connection__in={one.connection_id for one in mappings}, remote_id__in={one.contract_id for one in mappings}
    )
    known = {(row.connection_id, row.remote_id): row for row in rows if row.period}
    places = {one.pk: (one.connection_id, one.contract_id) for one in mappings}
    return {pk: known[place] for pk, place in places.items() if place in known}


def _waiting(mappings: Sequence[SubscriptionMapping]) -> dict[int, list[SyncOperation]]:
    """What is open on each line already, by the mapping's id: the new price comes on top of it."""
    found: dict[int, list[SyncOperation]] = defaultdict(list)
    waiting = SyncOperation.objects.filter(mapping__in=mappings).open().exclude(effective_on=None)
    for one in waiting.select_related("mapping", "connection"):
        if one.kind in REGISTRY and not REGISTRY[one.kind].beside_line:
            found[one.mapping_id].append(one)
    return found


def _rows(
    mappings: Sequence[SubscriptionMapping],
    contracts: Mapping[int, MirroredContract],
    waiting: Mapping[int, list[SyncOperation]],
    today: date,
) -> tuple[dict[int, list[UnitRow]], dict[int, str]]:
    """The unit rows by line; and by connection, why they cannot be read now."""
    rows: dict[int, list[UnitRow]] = defaultdict(list)
    problems: dict[int, str] = {}
    by_connection: dict[Connection, list[SubscriptionMapping]] = defaultdict(list)
    for one in mappings:
        by_connection[one.connection].append(one)
    for connection, lines in by_connection.items():
        days = [PeriodGrid.of(term_of(contracts[one.pk])).start_of(today) for one in lines]
        days += [each.effective_on for one in lines for each in waiting[one.pk] if each.effective_on]
        try:
            found = psa_for(connection).unit_rows([one.line_id or 0 for one in lines], since=min(days) - CUT_OTHERWISE)
        except FarSideError as error:
            problems[connection.pk] = f"The line cannot be read now: {error.message}"
            continue
        for row in found:
            rows[row.line_id].append(row)
    return rows, problems


def keep_shown(key: uuid.UUID, previews: Sequence[ChangePreview], now: datetime) -> None:
    """Remember what a person saw; what nobody came back to is forgotten."""
    MarginPreview.objects.filter(shown_at__lt=now - KEPT_FOR).delete()
    rows = [
        MarginPreview(key=key, mapping=one.mapping, shown=one.as_json(), shown_at=now)
        for one in previews
        if not one.problem
    ]
    MarginPreview.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["key", "mapping"], update_fields=["shown", "shown_at"]
    )


def shown_before(key: uuid.UUID, mapping: SubscriptionMapping) -> dict[str, Any]:
    """What a person saw of a line before they saved the margins; empty where they did not see it."""
    row = MarginPreview.objects.filter(key=key, mapping=mapping).first()
    return dict(row.shown) if row else {}
