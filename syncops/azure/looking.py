"""The daily look at the lines of Azure plans: which months are posted, and which price no month asks for.

An unposted month whose next month is not 0 would be billed twice: it becomes an alarm before that happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction

from connections.actions import mark_unauthorized
from connections.models import Connection, MirroredContract
from connections.psa.base import Psa
from connections.psa.types import UnitRow
from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal.audit import Actor, record
from portal.far_side import FarSideError, Unauthorized
from syncops.azure.amounts import Unasked, is_posted, unasked
from syncops.bills import billed
from syncops.lines import actual_of, rows_of, term_of
from syncops.models import AzureAlarm, AzureMonth, Lane, Stream, SyncOperation, Write
from syncops.operations import charge_azure_month, set_azure_month
from syncops.operations.set_azure_month import RESETS_ON
from syncops.periods import PeriodGrid
from syncops.timeline import Term

log = structlog.get_logger()
EVERY, AGAIN_AFTER = timedelta(hours=24), timedelta(hours=1)
MOST_LINES = 500
LOOKER = Actor.system("look at Azure months")
State = SyncOperation.State


@dataclass(frozen=True, slots=True)
class Line:
    """The line of an Azure plan with what was set on it; `fence` is its stream's before the line was read."""

    mapping: SubscriptionMapping
    stream: Stream
    fence: int
    operations: tuple[SyncOperation, ...]

    @property
    def asked(self) -> set[date]:
        """The periods to which a month gives a price, or is about to."""
        counting = (one for one in self.operations if one.state in SyncOperation.COUNTS and not one.is_undone)
        return {one.effective_on for one in counting if one.effective_on}

    @property
    def sent(self) -> set[date]:
        """The periods that were ever written to."""
        return {one.effective_on for one in self.operations if one.effective_on and one.started_at}


def connections_due(now: datetime) -> list[int]:
    """Connections with Azure months that were not looked at for a day."""
    lanes = Lane.objects.filter(months_read_at__lte=now - EVERY, connection__mode=Connection.Mode.LIVE)
    lanes = lanes.filter(connection__state__in=Connection.SENDS)
    with_months = SyncOperation.objects.filter(kind__in=(set_azure_month.KIND.name, charge_azure_month.KIND.name))
    return list(lanes.filter(pk__in=with_months.values("connection")).values_list("pk", flat=True))


def look(connection_id: int, now: datetime) -> int:
    """Look at the Azure plans of a connection; how many lines were read. One worker a day, others do nothing."""
    if not Lane.objects.filter(pk=connection_id, months_read_at__lte=now - EVERY).update(months_read_at=now):
        return 0
    connection = Connection.objects.select_related("organization").get(pk=connection_id)
    try:
        psa = psa_for(connection, bulk=True)
        read = look_at(_lines_of(connection, now), psa, now)
        _look_at_charges(connection, psa, now)
    except FarSideError as error:
        if isinstance(error, Unauthorized):
            mark_unauthorized(connection, error, now=now)
        log.info("Azure months not read; tried again in an hour", connection=connection_id, reason=str(error))
        Lane.objects.filter(pk=connection_id).update(months_read_at=now - EVERY + AGAIN_AFTER)
        return 0
    return read


def look_at(lines: Sequence[Line], psa: Psa, now: datetime) -> int:
    """Read these lines, up to 500 in one request, and note what they show."""
    for start in range(0, len(lines), MOST_LINES):
        chunk = lines[start : start + MOST_LINES]
        rows: dict[int, list[UnitRow]] = defaultdict(list)
        for row in psa.unit_rows([line.mapping.line_id or 0 for line in chunk]):
            rows[row.line_id].append(row)
        for line in chunk:
            _note(line, rows[line.mapping.line_id or 0], now)
    return len(lines)


def _lines_of(connection: Connection, now: datetime, mapping: SubscriptionMapping | None = None) -> list[Line]:
    """The lines on which months were set; not those that are being written to. Four queries."""
    kind = set_azure_month.KIND.name
    operations = SyncOperation.objects.filter(connection=connection, kind=kind, mapping__line_id__isnull=False)
    operations = operations if mapping is None else operations.filter(mapping=mapping)
    by_mapping: dict[int, list[SyncOperation]] = defaultdict(list)
    for one in operations.prefetch_related("undoings__undoings").order_by("pk"):
        by_mapping[one.mapping_id].append(one)
    busy = Write.objects.filter(stream__connection=connection, state__in=Write.UNPROVED).values("stream")
    streams = Stream.objects.filter(connection=connection, lease_until__lte=now).exclude(pk__in=busy)
    idle = {one.subscription_id: one for one in streams}
    mappings = SubscriptionMapping.objects.filter(pk__in=by_mapping).select_related(
        "connection__organization", "subscription__customer"
    )
    return [
        Line(one, idle[one.subscription_id], idle[one.subscription_id].fence, tuple(by_mapping[one.pk]))
        for one in mappings.order_by("pk")
        if one.subscription_id in idle
    ]


def _note(line: Line, rows: list[UnitRow], now: datetime) -> None:
    """Write down what a line shows. Nothing where it was written to meanwhile, or its contract is not known."""
    mapping, shown = line.mapping, rows_of(rows)
    contract = MirroredContract.objects.filter(connection=mapping.connection_id, remote_id=mapping.contract_id).first()
    if contract is None or not shown:
        return
    found = unasked(shown, term_of(contract), line.asked, sent=line.sent)
    with transaction.atomic():
        stream = Stream.objects.select_for_update(no_key=True).get(pk=line.stream.pk)
        if stream.fence != line.fence:
            return
        months = AzureMonth.objects.went_out().filter(operation__in=line.operations, posted_at=None)
        for month in months.select_related("operation", "organization", "subscription__customer", "connection"):
            _note_month(month, rows, term_of(contract), now)
        if found is None:
            close_alarm(mapping, now)
        else:
            _raise_alarm(mapping, found, now)


def _note_month(month: AzureMonth, rows: list[UnitRow], term: Term, now: datetime) -> None:
    """What the line shows of a month that was set: posted, 0 after it, or another amount by now."""
    assert month.operation
    assert month.period
    if _bills_otherwise(month, rows, term):
        AzureMonth.objects.filter(pk=month.pk).update(set_at=None, zeroed_at=None)
        _record_month("Find Azure Month Changed", month, now)
        return
    resets_on = month.operation.payload.get(RESETS_ON)
    is_zero = not resets_on or not actual_of(rows).at(date.fromisoformat(resets_on)).price
    posted = now if is_posted(rows_of(rows), month.period) else None
    AzureMonth.objects.filter(pk=month.pk).update(
        zeroed_at=(month.zeroed_at or now) if is_zero else None, posted_at=posted
    )


def _bills_otherwise(month: AzureMonth, rows: list[UnitRow], term: Term) -> bool:
    """Whether the month's period bills another amount than was set: somebody changed the line. Where days were given
    up, their shortfall tells.
    """
    assert month.operation
    assert month.period
    if month.operation.shortfalls.exists() or month.period > term.end:
        return False
    shown = rows_of(rows)
    periods = [PeriodGrid.of(term, shown).period_of(month.period)]
    return billed(actual_of(rows), periods, term, month.currency, [row.start for row in shown]) != month.sent_price


def _record_month(name: str, month: AzureMonth, now: datetime) -> None:
    record(
        name,
        actor=LOOKER,
        organization=month.organization,
        status="failed",
        subject=str(month),
        subscription=month.subscription,
        connection=month.connection,
        asked={"month": month.month, "price": month.sent_price, "period": month.period},
        at=now,
    )


def _look_at_charges(connection: Connection, psa: Psa, now: datetime) -> None:
    """Charges of months that were billed since, or changed or taken away: one request each, until they are billed."""
    months = AzureMonth.objects.went_out().filter(connection=connection, sent_as=AzureMonth.SentAs.CHARGE)
    related = ("operation", "organization", "subscription__customer", "connection")
    for month in months.filter(posted_at=None).select_related(*related).order_by("pk"):
        payload = month.operation.payload if month.operation else {}
        found = psa.find_charges(int(payload["contract_id"]), key=payload["key"])
        if not any(one.amount == Decimal(payload["unit_price"]) and not one.canceled for one in found):
            AzureMonth.objects.filter(pk=month.pk, operation=month.operation).update(set_at=None)
            _record_month("Find Azure Charge Changed", month, now)
        elif found[0].billed:
            AzureMonth.objects.filter(pk=month.pk, operation=month.operation).update(posted_at=now)


def _raise_alarm(mapping: SubscriptionMapping, found: Unasked, now: datetime) -> None:
    alarm, is_new = AzureAlarm.objects.get_or_create(
        mapping=mapping,
        closed_at=None,
        defaults={"period": found.period, "price": found.price, "found_at": now},
    )
    if is_new:
        _record("Find Azure Price Nobody Asked For", alarm, now, succeeded=False)
    elif (alarm.period, alarm.price) != (found.period, found.price):
        AzureAlarm.objects.filter(pk=alarm.pk).update(period=found.period, price=found.price)


def close_alarm(mapping: SubscriptionMapping, now: datetime) -> None:
    """The line shows nothing any more that no month asks for."""
    alarm = AzureAlarm.objects.open().filter(mapping=mapping).first()
    if alarm is not None:
        AzureAlarm.objects.filter(pk=alarm.pk).update(closed_at=now)
        _record("Azure Price Nobody Asked For Is Gone", alarm, now, succeeded=True)


def look_again(alarm: AzureAlarm, psa: Psa, now: datetime) -> bool:
    """Look at the line of an alarm at once; whether it is closed now. Raises the errors of `portal.far_side`."""
    look_at(_lines_of(alarm.mapping.connection, now, alarm.mapping), psa, now)
    alarm.refresh_from_db()
    return alarm.closed_at is not None


def _record(name: str, alarm: AzureAlarm, now: datetime, *, succeeded: bool) -> None:
    mapping = alarm.mapping
    record(
        name,
        actor=LOOKER,
        organization=mapping.connection.organization,
        status="succeeded" if succeeded else "failed",
        subject=f"{mapping.subscription} on {mapping.contract_name}",
        subscription=mapping.subscription,
        connection=mapping.connection,
        answered={"period": alarm.period, "price": alarm.price, "line": mapping.line_id},
        at=now,
    )
