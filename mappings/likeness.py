"""Names that are alike, among many: candidates share rare pieces of three letters, and only those are scored.

Comparing every name with every other would be millions of comparisons; a name shares its rarest pieces with few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from mappings.matching import normalised, without_legal_form
from mappings.renames import todays_name

PROBES = 8  # pieces of a name that are looked up, the rarest first
MOST_LISTED = 4000  # a piece that more names hold than this tells nothing, unless a name has no other
KEPT = 3
DEFAULT_THRESHOLD = 85


@dataclass(frozen=True, slots=True)
class Alike:
    """The position of a name in the list that was searched, and how alike it is: 0 to 100, 100 the same."""

    position: int
    score: int


def key_of(name: str) -> str:
    """What is compared: today's product names, no legal form, and the words in one order."""
    return " ".join(sorted(todays_name(without_legal_form(name)).split()))


def likeness(one: str, other: str) -> float:
    """How alike two keys are, 0 to 100. Names with different numbers in them are never alike: 1 is not 2."""
    return fuzz.ratio(one, other) if _numbers(one) == _numbers(other) else 0.0


def why(ours: str, theirs: str, score: int) -> str:
    """What the likeness rests on, in words."""
    if normalised(ours) == normalised(theirs):
        return "Same name" if ours.strip() == theirs.strip() else "Same name, written differently"
    if without_legal_form(ours) == without_legal_form(theirs):
        return "Same name but for the legal form"
    if sorted(without_legal_form(ours).split()) == sorted(without_legal_form(theirs).split()):
        return "Same words in another order"
    if score == 100:
        return "Same product under an earlier name"
    return "Alike names"


@dataclass
class Names:
    """Names that can be searched for those alike. Memory grows with their letters, not with their pairs."""

    keys: Sequence[str]
    listed: dict[str, list[int]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for position, key in enumerate(self.keys):
            for piece in _pieces(key):
                found[piece].append(position)
        self.listed = dict(found)

    def alike(self, key: str, *, least: int = DEFAULT_THRESHOLD, most: int = KEPT) -> list[Alike]:
        """The names that are at least `least` alike, best first."""
        positions = self._candidates(key)
        names, own = [self.keys[one] for one in positions], _numbers(key)
        scored = process.extract(key, names, scorer=fuzz.ratio, score_cutoff=least, limit=None)
        fitting = [(-score, positions[index]) for name, score, index in scored if _numbers(name) == own]
        return [Alike(position, round(-score)) for score, position in sorted(fitting)[:most]]

    def _candidates(self, key: str) -> list[int]:
        """Positions of the names that share any of the key's rarest pieces."""
        pieces = sorted((len(self.listed[piece]), piece) for piece in _pieces(key) if piece in self.listed)
        telling = [piece for size, piece in pieces if size <= MOST_LISTED][:PROBES] or [one for _, one in pieces[:2]]
        return list(set().union(*(self.listed[piece] for piece in telling)))


def _pieces(key: str) -> set[str]:
    padded = f" {key} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def _numbers(key: str) -> tuple[str, ...]:
    return tuple(word for word in key.split() if any(letter.isdigit() for letter in word))
