"""Names that mean the same: equal but for case, accents and punctuation, or but for the legal form behind them.

Two that fit equally well are a conflict, and then nothing is suggested.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.folding import without_accents

_LEGAL_FORMS_BY_COUNTRY = """
    bv cv nv vof bvba sprl scrl srl asbl vzw
    ag ev gbr gmbh kg kgaa mbh ohg ug
    co corp corporation inc incorporated limited llc llp ltd plc pte pty
    eirl sa sarl sas sasu sl slu snc spa srls lda
    ab ag aps as asa oy oyj doo kft sro spzoo zoo se
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS_BY_COUNTRY.split())
_JOINED = re.compile(r"[.'’`´]")
_SEPARATING = re.compile(r"[^\w]+|_+")
_PLAIN_RUN = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Match:
    """How well a name fits: 0 is best. `why` says it in words."""

    rank: int
    why: str


SAME_NAME = Match(0, "Same name")
SAME_LETTERS = Match(1, "Same name, written differently")
SAME_BUT_LEGAL_FORM = Match(2, "Same name but for the legal form")


def normalised(name: str) -> str:
    """In lower case, without accents and punctuation: "Müller & Söhne G.m.b.H." becomes "muller sohne gmbh"."""
    return " ".join(_SEPARATING.sub(" ", _JOINED.sub("", without_accents(name))).split())


def without_legal_form(name: str) -> str:
    """The normalised name without the legal forms at its end; one that is nothing else stays as it is."""
    words = normalised(name).split()
    kept = list(words)
    while kept and kept[-1] in LEGAL_FORMS:
        kept.pop()
    return " ".join(kept or words)


def match(ours: str, theirs: str) -> Match | None:
    """How `theirs` fits `ours`, or None where it does not."""
    if not normalised(ours):
        return None
    if ours.strip() == theirs.strip():
        return SAME_NAME
    if normalised(ours) == normalised(theirs):
        return SAME_LETTERS
    return SAME_BUT_LEGAL_FORM if without_legal_form(ours) == without_legal_form(theirs) else None


def best(ours: str, candidates: Iterable[tuple[int, str]]) -> tuple[int, Match] | None:
    """The id of the one candidate (id, name) that fits best, and how; None where none does or two fit equally well."""
    found = [(fit, key) for key, name in candidates if (fit := match(ours, name)) is not None]
    top = min((fit.rank for fit, _ in found), default=None)
    winners = [(key, fit) for fit, key in found if fit.rank == top]
    return winners[0] if len(winners) == 1 else None


@dataclass(frozen=True, slots=True)
class Exact:
    """What equal names say: pairs (our id, their id) that are certain, and for each of our ids in a conflict the ids
    of theirs that it could be.
    """

    pairs: tuple[tuple[int, int], ...]
    conflicts: dict[int, tuple[int, ...]]


def exact(ours: Iterable[tuple[int, Sequence[str]]], theirs: Iterable[tuple[int, str]]) -> Exact:
    """Pair what has exactly the same name. `ours`: id and its names, the most telling first; the first that occurs
    among `theirs` (id, name) counts. Two candidates on either side are a conflict, never a guess.
    """
    by_name: dict[str, list[int]] = {}
    for key, name in theirs:
        by_name.setdefault(name.strip(), []).append(key)
    claims = {
        key: by_name[name]
        for key, names in ours
        if (name := next((n.strip() for n in names if n.strip() in by_name), ""))
    }
    claimants = Counter(key for found in claims.values() for key in found)
    pairs = tuple((key, found[0]) for key, found in claims.items() if len(found) == 1 and claimants[found[0]] == 1)
    certain = dict(pairs)
    return Exact(pairs, {key: tuple(found) for key, found in claims.items() if key not in certain})


def search_word(name: str) -> str:
    """The longest run of plain letters and digits: what every way of writing the name has in common."""
    return max(_PLAIN_RUN.findall(name.lower()), key=len, default="")
