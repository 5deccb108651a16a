"""Suggesting companies for customers by their names, against scoring every pair with the same scorer.

Every pair is sampled: so many customers are compared with all companies, and the time is extrapolated to all customers.
"""

import random
import tracemalloc
from time import process_time

from mappings.likeness import DEFAULT_THRESHOLD, Names, key_of, likeness
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import Ground

NAMES = 20_000
SAMPLE = 60
_PIECES = "al an ar ba be bo ca co da de do el en fa fi ga go ha he in jo ka la lo ma me mi na ne no or pa re ri"
SYLLABLES = _PIECES.split()
_TRADES = "Consulting Services Group Holding Partners Solutions Systems Logistics Transport Hotel Bakery Law"
COMMON = _TRADES.split()
FORMS = ("BV", "NV", "GmbH", "Ltd", "SA", "")
MOST_MB = 400


def run(ground: Ground) -> list[Figure]:
    chance = random.Random(11)
    ours = [name_of(chance) for _ in range(NAMES)]
    theirs = [written_by_others(name, chance) for name in ours]
    chance.shuffle(theirs)
    tracemalloc.start()
    began = process_time()
    searched = Names([key_of(name) for name in theirs])
    found = [searched.alike(key_of(name), most=50) for name in ours]
    taken, memory = process_time() - began, tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    everything, recall = _every_pair(ours, searched, found, chance)
    note = f"{NAMES:,} x {NAMES:,}, {recall:.2%} of what every pair finds above {DEFAULT_THRESHOLD}"
    return [
        Figure("suggest", everything / taken, "times faster", 1, Aim(50, at_least=True), note),
        Figure("suggest_recall", recall * 100, "%", 100, Aim(0.995, at_least=True)),
        Figure("suggest_memory", memory, "MB", MOST_MB, Aim(1)),
    ]


def _every_pair(ours, searched, found, chance):  # type: ignore[no-untyped-def]
    """Seconds that scoring every pair would take, and the share of the alike ones that were found without it."""
    sample, wanted, hits, began = chance.sample(range(len(ours)), SAMPLE), 0, 0, process_time()
    for place in sample:
        key, known = key_of(ours[place]), {one.position for one in found[place]}
        alike = [at for at, other in enumerate(searched.keys) if likeness(key, other) >= DEFAULT_THRESHOLD]
        wanted, hits = wanted + len(alike), hits + sum(at in known for at in alike)
    return (process_time() - began) / SAMPLE * len(ours), hits / wanted


def name_of(chance: random.Random) -> str:
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))).title() for _ in range(chance.randint(1, 3))]
    return " ".join([*words, chance.choice(COMMON)] if chance.random() < 0.6 else words)


def written_by_others(name: str, chance: random.Random) -> str:
    """With a legal form, with a letter wrong, or with its words in another order."""
    place, kind = chance.randrange(len(name)), chance.randrange(3)
    if kind == 0:
        return f"{name} {chance.choice(FORMS)}"
    if kind == 1:
        return name[:place] + chance.choice("aeioust") + name[place + 1 :]
    return " ".join(chance.sample(name.split(), len(name.split())))
