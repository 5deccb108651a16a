"""Names are found as people type them, without regard to case and accents."""

import importlib

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from portal.folding import folded, without_accents
from portal.models import Customer
from tests.cast import make_customer

NAME = "Müller & Söhne Straßenbau GmbH"


@pytest.mark.parametrize("typed", ["muller", "MÜLLER", "sohne strassenbau", "STRASSE", "bau gmbh müll", "", "  "])
def test_a_name_is_found_however_it_is_typed(cast, typed):
    wanted = make_customer(cast.csp, NAME)
    assert wanted in Customer.objects.search(typed)


@pytest.mark.parametrize("typed", ["mueller", "söhne kg", "%", "_"])
def test_what_is_not_in_the_name_is_not_found(cast, typed):
    make_customer(cast.csp, NAME)
    assert not Customer.objects.search(typed).exists()


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text):
    assert without_accents(without_accents(text)) == without_accents(text)
    assert folded(folded(text)) == folded(text)


@given(st.text(min_size=150, max_size=150))
def test_what_is_kept_fits_its_column(text):
    assert len(folded(text, at_most=150)) <= 150


def test_words_that_two_texts_share_are_kept_once():
    assert folded("Contoso Ltd", "contoso ltd contoso.example") == "contoso ltd contoso.example"


def test_rows_from_before_are_folded_once_for_all(cast):
    old = make_customer(cast.csp, NAME, search_text=NAME.lower())
    assert not Customer.objects.search("muller").exists()
    importlib.import_module("portal.migrations.0003_fold_names").fold(apps, None)
    assert list(Customer.objects.search("muller")) == [old]
