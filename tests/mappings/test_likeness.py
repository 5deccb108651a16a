"""Names that are alike: what counts, what does not, and that the short cut finds what comparing all would find."""

import random

import pytest
from rapidfuzz import fuzz, process

from mappings.likeness import Names, key_of, likeness, why
from mappings.matching import exact
from mappings.renames import RENAMES, todays_name


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ("Contoso", "Contoso ", "Same name"),
        ("Müller & Söhne G.m.b.H.", "MULLER SOHNE GMBH", "Same name, written differently"),
        ("Contoso", "Contoso N.V.", "Same name but for the legal form"),
        ("Hotel Alpenrose GmbH", "Alpenrose Hotel", "Same words in another order"),
        ("Office 365 Business Premium", "Microsoft 365 Business Standard", "Same product under an earlier name"),
    ],
)
def test_what_does_not_count_leaves_the_names_the_same(ours, theirs, reason):
    assert likeness(key_of(ours), key_of(theirs)) == 100
    assert why(ours, theirs, 100) == reason


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Garage 1", "Garage 2"), ("Visio Plan 1", "Visio Plan 2"), ("Microsoft 365 E3", "Microsoft 365 E5")],
)
def test_names_with_different_numbers_are_never_alike(ours, theirs):
    assert likeness(key_of(ours), key_of(theirs)) == 0
    assert Names([key_of(theirs)]).alike(key_of(ours), least=60) == []


def test_a_typing_error_is_alike_and_another_name_is_not():
    names = Names([key_of(name) for name in ("Contoso Consulting", "Fabrikam Consulting", "Northwind")])
    (found,) = names.alike(key_of("Contosso Consulting BV"))
    assert (found.position, found.score) == (0, 97)
    assert names.alike(key_of("Zebra")) == []


def test_the_best_comes_first_and_the_threshold_is_kept():
    names = Names([key_of(name) for name in ("Contoso Belgium", "Contoso Belgie", "Contoso")])
    assert [one.position for one in names.alike(key_of("Contoso Belgie"), least=80)] == [1, 0]
    assert [one.position for one in names.alike(key_of("Contoso Belgie"), least=100)] == [1]


def test_nothing_and_punctuation_are_alike_to_nothing():
    names = Names([key_of(name) for name in ("Contoso", "", "...")])
    assert names.alike(key_of(""), least=60) == names.alike(key_of("!?"), least=60) == []
    assert Names([]).alike("contoso") == []


def test_the_short_cut_finds_what_comparing_every_pair_finds():
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghilmnoprstuvw", k=chance.randint(4, 9))) for _ in range(400)]
    ours = [" ".join(chance.sample(words, chance.randint(1, 3))) for _ in range(600)]
    theirs = [key_of(_misspelt(name, chance)) for name in ours]
    searched, wanted, found = Names(theirs), 0, 0
    for name in ours:
        key = key_of(name)
        every = process.extract(key, theirs, scorer=fuzz.ratio, score_cutoff=85, limit=None)
        alike = {one.position for one in searched.alike(key, most=600)}
        wanted += len(every)
        found += sum(position in alike for _, _, position in every)
    assert wanted > 500
    assert found / wanted >= 0.995


def _misspelt(name, chance):
    place = chance.randrange(len(name))
    return name[:place] + chance.choice("aeiou") + name[place + 1 :]


def test_every_rename_is_written_as_names_are_compared_and_leads_to_the_end():
    for old, new in RENAMES:
        assert key_of(old) == key_of(new)
        assert todays_name(new) == new
    assert todays_name("microsoft 365 apps for business") == "microsoft 365 apps for business"


def test_one_equal_name_on_either_side_is_a_pair():
    found = exact([(1, ("Contoso",)), (2, ("Nobody",))], [(10, "Contoso "), (11, "contoso")])
    assert (found.pairs, found.conflicts) == (((1, 10),), {})


def test_two_equal_names_on_either_side_are_a_conflict():
    theirs = [(10, "Contoso"), (11, "Contoso"), (12, "Twin")]
    found = exact([(1, ("Contoso",)), (2, ("Twin",)), (3, ("Twin",))], theirs)
    assert found.pairs == ()
    assert found.conflicts == {1: (10, 11), 2: (12,), 3: (12,)}


def test_the_most_telling_name_counts():
    theirs = [(10, "E3 · 1 year, monthly"), (11, "E3")]
    found = exact([(1, ("E3 · 1 year, monthly", "E3")), (2, ("E3 · 1 month, monthly", "E3"))], theirs)
    assert found.pairs == ((1, 10), (2, 11))
