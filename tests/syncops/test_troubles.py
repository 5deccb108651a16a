"""What stopped an operation, in words: every kind is explained, and the same reason has the same words."""

import re

import pytest
from django.conf import settings

from connections.psa.errors import Why
from syncops.troubles import LONGEST_GROUP, OTHER, TROUBLES, general_words, trouble_of

NAMED = re.compile(r'fail(?:_all)?\([^)]*?"([a-z_]+)"', re.DOTALL)


@pytest.mark.parametrize("kind", [*Why])
def test_every_refusal_that_is_told_apart_is_explained(kind):
    assert trouble_of(kind) is not OTHER


def test_every_kind_that_the_engine_names_is_explained():
    sources = [settings.BASE_DIR / "syncops" / name for name in ("settling.py", "jobs.py")]
    named = {kind for file in sources for kind in NAMED.findall(file.read_text())}
    assert {"rejected", "unavailable"} <= set(TROUBLES)
    assert named
    assert named <= set(TROUBLES)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=lambda trouble: trouble.title)
def test_a_trouble_says_what_it_means_and_what_to_do(trouble):
    assert trouble.means.endswith(".")
    assert trouble.next.endswith(".")


@pytest.mark.parametrize(
    ("message", "names", "words"),
    [
        (
            "The change takes effect on 2026-05-10, after the contract Contoso CSP ends on 2026-04-30.",
            ["Contoso CSP"],
            "The change takes effect on …, after the contract … ends on ….",
        ),
        ("Contoso CSP is not in Autotask any more.", ["Contoso", "Contoso CSP"], "… is not in Autotask any more."),
        ("Line #5003 of (1,200.50) units", [], "Line … of … units"),
        ("This was sent 6 times", ["", " "], "This was sent … times"),
        ("No.", ["N"], "No."),
    ],
)  # fmt: skip
def test_what_differs_from_one_operation_to_the_next_is_left_out(message, names, words):
    assert general_words(message, names) == words


def test_words_are_never_longer_than_their_column():
    assert len(general_words("x" * 1000, [])) == LONGEST_GROUP
