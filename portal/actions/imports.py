"""What a person does with a file of many rows: hand it in, have it applied, discard it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F

from portal.audit import Actor, record, storable
from portal.imports import Kind, Place
from portal.models import ImportRow, Organization, SheetImport
from portal.queue import enqueue
from portal.sheet_reading import open_sheet

RUN_TASK = "portal.import_tasks.run_import"
State = SheetImport.State


class NotPossible(Exception):
    """It cannot be done as asked; nothing was changed. The words say what to do."""


def start_import(
    kind: Kind, place: Place, *, content: bytes, name: str, options: Mapping[str, str], actor: Actor, now: datetime
) -> SheetImport:
    """Keep a file for its dry run, which a worker makes. Raises Unreadable where its columns are not found."""
    sheet = open_sheet(content, kind.columns)
    if next(sheet.rows, None) is None:
        raise NotPossible("There is no row below the headings.")
    with transaction.atomic():
        run = SheetImport.objects.create(
            organization=Organization.objects.get(pk=place.organization_id),
            kind=kind.name,
            place_id=place.id,
            place_name=place.name[:150],
            file_name=storable(name)[-200:] or "file",
            content=content,
            options=dict(options),
            started_by_id=actor.user_id,
            started_at=now,
            due_at=now,
        )
        enqueue(RUN_TASK, run.pk)
    return run


def counts_of(run: SheetImport) -> dict[str, int]:
    """How many rows there are of each effect."""
    rows = ImportRow.objects.filter(run=run).order_by().values_list("effect").annotate(count=Count("pk"))
    return dict.fromkeys(ImportRow.Effect.values, 0) | dict(rows)


def accept_import(run: SheetImport, kind: Kind, *, partial: bool, actor: Actor, now: datetime) -> None:
    """Have it applied: all rows, or with `partial` those that were not refused. Raises NotPossible.

    A second click finds it on its way and changes nothing. One that stopped midway goes on with what is left.
    """
    with transaction.atomic():
        row = SheetImport.objects.light().select_for_update(of=("self",), no_key=True).get(pk=run.pk)
        goes_on = row.state == State.FAILED and row.accepted_at is not None
        if row.state != State.READY and not goes_on:
            return
        counts = counts_of(row)
        if counts["refuse"] and not (partial or row.partial):
            raise NotPossible(f"{counts['refuse']} rows were refused. Tick the box to have the others applied.")
        if not counts["create"] + counts["change"]:
            raise NotPossible("No row of the file would change anything.")
        row.state, row.cursor, row.done = State.CHECKING, 0, 0
        row.problem, row.partial, row.attempts = "", partial or row.partial, 0
        row.total, row.due_at = counts["create"] + counts["change"], now
        if not goes_on:
            row.accepted_by_id, row.accepted_at = actor.user_id, now
            _record(row, kind, counts, actor, now)
        row.save(
            update_fields=[
                "state",
                "cursor",
                "done",
                "problem",
                "partial",
                "attempts",
                "total",
                "due_at",
                "accepted_by",
                "accepted_at",
            ]
        )
        enqueue(RUN_TASK, row.pk)


def discard_import(run: SheetImport, *, now: datetime) -> None:
    """A dry run that is not wanted: its rows go. Nothing had been changed, so the audit log has nothing to tell."""
    with transaction.atomic():
        waiting = SheetImport.objects.filter(pk=run.pk, accepted_at__isnull=True).exclude(state=State.DISCARDED)
        if waiting.update(state=State.DISCARDED, content=b"", due_at=None, finished_at=now, fence=F("fence") + 1):
            ImportRow.objects.filter(run=run).delete()


def _record(run: SheetImport, kind: Kind, counts: Mapping[str, int], actor: Actor, now: datetime) -> None:
    record(
        kind.audit_name,
        actor=actor,
        organization=run.organization,
        subject=str(run),
        asked={"file": run.file_name, "for": run.place_name, "rows": dict(counts), "partial": run.partial}
        | run.options,
        correlation_id=run.correlation_id,
        at=now,
    )
