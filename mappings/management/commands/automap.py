"""Maps customers and offers whose names are exactly those of a company or a service; a dry run without --apply."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections.management.lookup import connection_named
from mappings import automatic
from mappings.boards import BOARDS, Board
from mappings.findings import Findings, exact_names
from mappings.likeness import DEFAULT_THRESHOLD
from mappings.models import MatchRun
from portal.audit import Actor
from portal.management.output import JsonOption

LONG_S = 24 * 3600.0


class Command(JsonOption, BaseCommand):
    help = (
        "Maps customers and offers by exactly equal names. Without --apply nothing is written: it says what would be. "
        "What fits more than one is listed as a conflict and never mapped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--connection", required=True, help="the connection's name")
        parser.add_argument("--organization", help="its organization, where the name is not enough")
        parser.add_argument("--only", choices=sorted(BOARDS), help="only these")
        parser.add_argument("--apply", action="store_true", help="map them")
        parser.add_argument("--suggest", action="store_true", help="with --apply: suggest alike names for the rest")
        parser.add_argument("--threshold", type=int, default=DEFAULT_THRESHOLD, help="how alike, 0 to 100")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connection_named(options["connection"], options["organization"])
        today = timezone.localdate(timezone=connection.organization.zone)
        facts: dict[str, Any] = {"connection": connection.pk, "applied": options["apply"]}
        words = []
        for nouns in [options["only"]] if options["only"] else BOARDS:
            board = BOARDS[nouns](connection, today)
            found = exact_names(board)
            facts[nouns] = _facts(found) | (self._apply(board, options) if options["apply"] else {})
            words += _words(nouns, found, facts[nouns])
        self.answer(options, facts, "\n".join(words))

    @staticmethod
    def _apply(board: Board, options: dict[str, Any]) -> dict[str, int]:
        run = _run(board, MatchRun.Kind.EXACT, options["threshold"])
        counts = {"mapped": run.mapped, "refused": run.refused}
        if options["suggest"]:
            counts["suggested"] = _run(board, MatchRun.Kind.ALIKE, options["threshold"]).found
        return counts


def _run(board: Board, kind: str, threshold: int) -> MatchRun:
    """Start a run and see it through here; one that a worker has begun is waited for by its lease."""
    now = timezone.now()
    run = automatic.start_match(board, kind, threshold=threshold, actor=Actor.system("automap"), now=now)
    while run.state == MatchRun.State.RUNNING:
        run = automatic.run_match(run.pk, clock=timezone.now, budget_s=LONG_S)
        if run.lease_until is not None:
            time.sleep(1)
    if run.state == MatchRun.State.FAILED:
        raise CommandError(f"{run} stopped again and again.")
    if run.state == MatchRun.State.CANCELLED:
        raise CommandError(f"{run} was cancelled: {run.outcome}.")
    return run


def _facts(found: Findings) -> dict[str, Any]:
    return {
        "pairs": [{"ours": one, "theirs": other} for one, other in found.named_pairs],
        "conflicts": [{"ours": one, "theirs": others} for one, others in found.named_conflicts],
    }


def _words(nouns: str, found: Findings, facts: dict[str, Any]) -> list[str]:
    said = [f"{nouns.capitalize()}: {len(found.pairs)} with one equal name, {len(found.conflicts)} in conflict."]
    said += [f"  {one} = {other}" for one, other in found.named_pairs]
    said += [f"  conflict: {one} could be {', '.join(others)}" for one, others in found.named_conflicts]
    if "mapped" in facts:
        said.append(f"  Mapped {facts['mapped']}, refused {facts['refused']}.")
    if "suggested" in facts:
        said.append(f"  Suggested {facts['suggested']}.")
    return said
