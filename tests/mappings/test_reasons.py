"""Reasons in words."""

import pytest

from mappings.reasons import WORDS, reason


class Anything(dict):
    def __missing__(self, name):
        return f"<{name}>"


@pytest.mark.parametrize("code", WORDS)
def test_every_reason_says_what_is_wrong_and_what_to_do(code):
    text, fix = (words.format_map(Anything()) for words in WORDS[code])
    assert text.endswith(".")
    assert fix.endswith(".")
    assert len(fix) > 10 or code == "changed_meanwhile"


def test_names_with_braces_are_shown_as_they_are():
    assert reason("company_inactive", company="{0} & <b>Co</b>").text == "{0} & <b>Co</b> is inactive."


def test_a_reason_without_its_names_is_a_mistake_of_the_programmer():
    with pytest.raises(KeyError):
        reason("company_inactive")
