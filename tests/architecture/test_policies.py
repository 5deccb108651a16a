"""A policy that can be chosen is one that something reads."""

from dataclasses import asdict

import pytest
from django.conf import settings

from connections.policies import NOT_YET, Policies

READERS = [file.read_text() for app in ("mappings", "syncops") for file in (settings.BASE_DIR / app).rglob("*.py")]
WAITING = {name for name, _ in NOT_YET}


@pytest.mark.parametrize("name", asdict(Policies()))
def test_a_policy_is_offered_exactly_where_something_reads_it(name):
    """One that is read by now belongs off `NOT_YET`, in the same step."""
    assert any(f"policies.{name}" in text for text in READERS) is (name not in WAITING)


def test_what_waits_is_a_value_that_is_no_default():
    assert all(asdict(Policies())[name] != value for name, value in NOT_YET)
    assert all(Policies.from_json({name: value}) for name, value in NOT_YET)
