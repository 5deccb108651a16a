"""Doing one thing to many rows of a mapping page: each row in a transaction of its own, so that one that is refused
keeps none of the others back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mappings.boards import Board, Refused, Row
from mappings.models import Suggestion
from mappings.reasons import Reason, reason
from mappings.suggestions import reject_suggestions
from portal.audit import Actor

ACTIONS = (
    ("accept", "Accept suggestions"),
    ("reject", "Reject suggestions"),
    ("remove", "Remove mappings"),
)
DONE = {"accept": "mapped", "reject": "rejected", "remove": "no longer mapped; nothing was changed in Autotask"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: how many were done, and which were not and why."""

    do: str
    done: int
    refused: tuple[tuple[str, tuple[Reason, ...]], ...] = ()

    @property
    def done_in_words(self) -> str:
        return f"{self.done} {DONE[self.do]}."


def apply(board: Board, ours: Sequence[Any], do: str, *, actor: Actor, at: datetime) -> Outcome:
    """`do` is one of ACTIONS. Rows that it does not concern are refused with the reason."""
    done, refused = 0, []
    for row in board.rows(ours):
        try:
            _one(board, row, do, actor, at)
            done += 1
        except Refused as error:
            refused.append((row.name, error.reasons))
    return Outcome(do, done, tuple(refused))


def _one(board: Board, row: Row, do: str, actor: Actor, at: datetime) -> None:
    if do == "accept":
        if row.best is None:
            raise Refused([reason("no_single_suggestion")])
        board.map(row.ours, row.best.remote_id, actor=actor, at=at)
    elif do == "reject":
        waiting = Suggestion.objects.waiting().filter(connection=board.connection, **{board.ours: row.ours})
        reject_suggestions(board.connection, waiting, actor=actor, at=at)
    else:
        board.unmap(row.ours, actor=actor, at=at)
