"""Takes mappings from a CSV or Excel file; a dry run without --apply."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections.management.lookup import connection_named
from connections.models import Connection
from portal.actions.imports import NotPossible, accept_import, counts_of, discard_import, start_import
from portal.archives import Unreadable
from portal.audit import Actor
from portal.import_run import run_import
from portal.imports import KINDS, Kind
from portal.management.output import JsonOption
from portal.models import ImportRow, SheetImport
from portal.sheet_reading import open_sheet

NAMES = ("customer_mappings", "offer_mappings", "subscription_mappings")
SINCE = {"today": "today", "open-period": "open_period", "term": "term"}
LONG_S = 24 * 3600.0
UNREADABLE, REFUSED, PARTIAL, AWAY = 2, 3, 4, 5
ACTOR = Actor.system("import_mappings")


class Command(JsonOption, BaseCommand):
    help = (
        "Maps customers, offers or subscriptions as a CSV or Excel file says; its columns tell which. Without --apply "
        "it says row by row what would be done. Exit codes: 0 done or possible, 1 given up, 2 the file cannot be read, "
        "3 rows are refused and nothing was applied, 4 applied without the refused rows, 5 not reached (a worker goes "
        "on later)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a CSV or Excel file, as the mapping pages export it")
        parser.add_argument("--connection", required=True, help="the connection's name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--from", dest="since", choices=sorted(SINCE), default="today", help="the first day billed")
        parser.add_argument("--apply", action="store_true", help="apply it")
        parser.add_argument("--partial", action="store_true", help="with --apply: leave refused rows out")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_named(options["connection"], options["organization"])
        run, kind = _judged(connection, options)
        if run.state == SheetImport.State.FAILED:
            raise CommandError(run.problem, returncode=UNREADABLE)
        counts = counts_of(run)
        if options["apply"] and counts["create"] + counts["change"]:
            try:
                accept_import(run, kind, partial=options["partial"], actor=ACTOR, now=timezone.now())
                run.refresh_from_db()
                run = _through(run)
            except NotPossible:
                pass
        facts = _facts(run)
        code = _code(run, facts, options)
        if run.state == SheetImport.State.READY:
            discard_import(run, now=timezone.now())  # its rows have been told
        self.answer(options, facts, "\n".join(_words(facts)))
        if code:
            raise CommandError("Not every row was applied or can be.", returncode=code)


def _judged(connection: Connection, options: dict[str, Any]) -> tuple[SheetImport, Kind]:
    """The dry run, and the kind that the columns of the file tell."""
    try:
        content = options["file"].read_bytes()
        kind = _kind_of(content)
        place = kind.place(connection.organization_id, connection.pk)
        if place is None:
            raise CommandError(f"Nothing can be mapped on {connection} now.", returncode=UNREADABLE)
        chosen = {choice.name: SINCE[options["since"]] for choice in kind.choices}
        run = start_import(
            kind, place, content=content, name=options["file"].name, options=chosen, actor=ACTOR, now=timezone.now()
        )
    except (OSError, Unreadable, NotPossible) as error:
        raise CommandError(str(error), returncode=UNREADABLE) from error
    return _through(run), kind


def _kind_of(content: bytes) -> Kind:
    problems = []
    for name in NAMES:
        try:
            open_sheet(content, KINDS[name].columns)
            return KINDS[name]
        except Unreadable as error:
            problems.append(f"{KINDS[name].title}: {error}")
    raise Unreadable(" ".join(problems))


def _through(run: SheetImport) -> SheetImport:
    """See the step through here; where the PSA is away, a worker goes on later."""
    while run.is_working:
        run = run_import(run.pk, clock=timezone.now, budget_s=LONG_S)
        if run.lease_until is not None:
            time.sleep(1)
        elif run.due_at is not None and run.due_at > timezone.now():
            break
    return run


def _code(run: SheetImport, facts: dict[str, Any], options: dict[str, Any]) -> int:
    if run.state == SheetImport.State.FAILED:
        return 1
    if run.is_working:
        return AWAY
    if not facts["refused"]:
        return 0
    return PARTIAL if run.state == SheetImport.State.APPLIED else REFUSED


def _facts(run: SheetImport) -> dict[str, Any]:
    rows = ImportRow.objects.filter(run=run)
    return {
        "state": run.state,
        "problem": run.problem,
        "counts": counts_of(run),
        "applied": rows.filter(outcome=ImportRow.Outcome.DONE).count(),
        "refused": rows.not_done().count(),
        "money": run.money,
        "rows": [
            {
                "row": row.number,
                "what": row.ours,
                "effect": row.effect,
                "outcome": row.outcome,
                "words": row.words,
                "reasons": [" ".join(why) for why in row.reasons],
            }
            for row in rows.order_by("number").iterator(chunk_size=500)
        ],
    }


def _words(facts: dict[str, Any]) -> list[str]:
    counts = ", ".join(
        f"{count} {ImportRow.Effect(name).label.lower()}" for name, count in facts["counts"].items() if count
    )
    said = [f"{counts}. Applied {facts['applied']}."]
    said += [f"{label}: {amount} {currency}" for label, amount, currency in facts["money"]]
    for row in facts["rows"]:
        why = " ".join(row["reasons"]) or row["words"]
        said.append(f"  row {row['row']}: {row['effect']}: {row['what']}: {why}")
    return [*said, facts["problem"]] if facts["problem"] else said
