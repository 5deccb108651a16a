"""What equal names say, before anything is mapped by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mappings import matching
from mappings.boards import Board

LISTED = 50  # of the pairs and of the conflicts


@dataclass(frozen=True, slots=True)
class Findings:
    """What mapping by exact names would do: pairs (ours, theirs) by id, conflicts by our id, and names of both."""

    pairs: tuple[tuple[int, int], ...]
    conflicts: dict[int, tuple[int, ...]]
    ours: dict[int, str]
    theirs: dict[int, str]

    @property
    def named_pairs(self) -> list[tuple[str, str]]:
        return [(self.ours[one], self.theirs[other]) for one, other in self.pairs]

    @property
    def named_conflicts(self) -> list[tuple[str, list[str]]]:
        """Ours, and each of theirs with its id: their names are the same."""
        return [
            (self.ours[one], [f"{self.theirs[other]} (#{other})" for other in others])
            for one, others in self.conflicts.items()
        ]

    def shown(self) -> dict[str, Any]:
        """How many there are, and the first of them, as a page shows them."""
        return {
            "pairs": len(self.pairs),
            "conflicts": len(self.conflicts),
            "first_pairs": [list(pair) for pair in self.named_pairs[:LISTED]],
            "first_conflicts": [list(conflict) for conflict in self.named_conflicts[:LISTED]],
        }


def exact_names(board: Board) -> Findings:
    """What has exactly the same name as an eligible row that nobody has; nothing is written."""
    pairs: list[tuple[int, int]] = []
    conflicts: dict[int, tuple[int, ...]] = {}
    ours: dict[int, str] = {}
    theirs: dict[int, str] = {}
    for group in board.groups():
        found = matching.exact(group.ours, group.theirs)
        pairs += found.pairs
        conflicts |= found.conflicts
        ours |= {pk: names[0] for pk, names in group.ours}
        theirs |= dict(group.theirs)
    return Findings(tuple(sorted(pairs)), conflicts, ours, theirs)
