"""Names that mean the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mappings.matching import best, match, normalised, search_word, without_legal_form


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        ("Contoso", "Contoso", "Same name"),
        ("Contoso", " contoso ", "Same name, written differently"),
        ("Müller & Söhne", "muller sohne", "Same name, written differently"),
        ("O'Donnell Byrne", "O’Donnell-Byrne", "Same name, written differently"),
        ("Noordzee Logistics", "Noordzee Logistics B.V.", "Same name but for the legal form"),
        ("Alpenrose Hotel GmbH & Co. KG", "Alpenrose Hotel", "Same name but for the legal form"),
    ],
)
def test_names_that_mean_the_same_match(ours, theirs, why):
    assert match(ours, theirs).why == why


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Noordzee Logistics", "Noordzee Logistics Antwerpen NV"), ("B.V.", "N.V."), ("", ""), ("...", "!!!")],
)
def test_other_names_do_not(ours, theirs):
    assert match(ours, theirs) is None


def test_the_closest_name_wins():
    found = best("Contoso", [(1, "Contoso NV"), (2, "contoso"), (3, "Fabrikam")])
    assert found == (2, match("Contoso", "contoso"))


def test_two_that_fit_equally_well_are_a_conflict():
    assert best("Contoso", [(1, "Contoso NV"), (2, "Contoso BV")]) is None


def test_no_candidate_is_no_suggestion():
    assert best("Contoso", []) is None


names = st.text(max_size=30)


@given(names, names)
def test_matching_has_no_direction(one, other):
    assert match(one, other) == match(other, one)


@given(names)
@example("℡ ＡＢ ß İ ŉ")
def test_what_is_normalised_stays_so(name):
    assert normalised(normalised(name)) == normalised(name)
    assert without_legal_form(without_legal_form(name)) == without_legal_form(name)


@given(st.from_regex(r"[A-Za-z0-9 .&-]{1,30}", fullmatch=True))
def test_the_search_word_is_found_in_the_prepared_name(name):
    assert search_word(name) in name.lower()
