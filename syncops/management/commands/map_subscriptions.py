"""Maps every subscription whose place is certain, and lists the others with the reason; a dry run without --apply."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections.management.lookup import connection_named
from connections.models import Connection
from mappings.models import MatchRun
from portal.audit import Actor
from portal.management.output import JsonOption
from syncops.bulk_mapping import Candidate, candidates, mappable, unmapped
from syncops.mapping_run import run_mapping, start_mapping

SINCE = {"today": "today", "open-period": "open_period", "term": "term"}
EXIT_CODES: dict[str, int] = {MatchRun.State.FAILED: 1, MatchRun.State.CANCELLED: 1, MatchRun.State.RUNNING: 5}
CHUNK = 500
LONG_S = 24 * 3600.0


class Command(JsonOption, BaseCommand):
    help = (
        "Maps subscriptions of mapped customers and offers to the one contract that can bill each. Exit codes: 0 "
        "through (what was left is listed), 1 given up or cancelled, 5 not reached (a worker goes on later)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--connection", required=True, help="the connection's name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--from", dest="since", choices=sorted(SINCE), required=True, help="the first day billed")
        parser.add_argument("--apply", action="store_true", help="map them; each is checked against the PSA first")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_named(options["connection"], options["organization"])
        since, code = SINCE[options["since"]], 0
        if options["apply"]:
            run = _run(connection, since)
            code = EXIT_CODES.get(run.state, 0)
            facts = {"mapped": run.mapped, "left": run.problems, "left_count": run.refused, "state": run.state}
            words = [f"Mapped {run.mapped}, left {run.refused} ({run.get_state_display().lower()})."]
            words += [f"  {name}: {why}" for name, why in run.problems]
        else:
            found = list(_judged(connection, since))
            ready, left = [one for one in found if one.choice], [one for one in found if not one.choice]
            facts = {"ready": [_ready(one) for one in ready], "left": [_left(one) for one in left]}
            words = [f"{len(ready)} would be mapped, {len(left)} not."]
            words += [f"  {one['subscription']} on {one['contract']} from {one['from']}" for one in facts["ready"]]
            words += [f"  {one['subscription']}: {one['why']}" for one in facts["left"]]
        self.answer(options, facts, "\n".join(words))
        if code:
            raise CommandError("Not every subscription was looked at.", returncode=code)


def _run(connection: Connection, since: Any) -> MatchRun:
    """Start a run and see it through here; where the PSA is away, a worker goes on later."""
    now = timezone.now()
    run = start_mapping(connection, since=since, chosen=(), actor=Actor.system("map_subscriptions"), now=now)
    while run.state == MatchRun.State.RUNNING:
        run = run_mapping(run.pk, clock=timezone.now, budget_s=LONG_S)
        if run.lease_until is not None:
            time.sleep(1)
        elif run.due_at is not None and run.due_at > timezone.now():
            break
    return run


def _judged(connection: Connection, since: Any) -> Any:
    today, cursor = timezone.localdate(timezone=connection.organization.zone), 0
    rows = unmapped(mappable(connection)).order_by("pk")
    while chunk := list(rows.filter(pk__gt=cursor)[:CHUNK]):
        cursor = chunk[-1].pk
        yield from candidates(connection, chunk, since=since, today=today)


def _ready(one: Candidate) -> dict[str, Any]:
    assert one.contract
    return {"subscription": str(one.subscription), "contract": one.contract.name, "from": one.first_day}


def _left(one: Candidate) -> dict[str, Any]:
    return {"subscription": str(one.subscription), "why": str(one.reasons[0])}
