"""Every door of ours has a lock on it, and every view says which methods it takes."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver

from portal.permissions import policy_of

APPS = ("portal", "connections", "mappings", "syncops")


def patterns(resolver=None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        else:
            yield from patterns(entry)


OURS = [pattern for pattern in patterns() if pattern.callback.__module__.startswith(APPS)]


def view_files() -> list[Path]:
    places = [f"{app}/{place}" for app in APPS for place in ("views.py", "views/*.py")]
    return sorted(file for place in places for file in settings.BASE_DIR.glob(place))


def test_there_is_something_to_look_at():
    assert len(OURS) >= 20
    assert len(view_files()) >= 8


@pytest.mark.parametrize("pattern", OURS, ids=lambda pattern: pattern.name)
def test_every_address_is_named_and_its_view_is_marked(pattern):
    assert pattern.name
    policy = policy_of(pattern.callback)
    assert policy is not None
    assert policy.permission or policy.because


@pytest.mark.parametrize("pattern", OURS, ids=lambda pattern: pattern.name)
def test_every_view_says_which_methods_it_takes(pattern, rf):
    """`require_GET` and its kin are outermost: a wrong method is refused before anything else is looked at."""
    source = inspect.getsource(inspect.unwrap(pattern.callback))
    marks = [line.strip() for line in source.splitlines() if line.startswith("@")]
    assert marks[0].startswith("@require_"), f"{pattern.name}: {marks}"


@pytest.mark.parametrize("file", view_files(), ids=lambda file: str(file.relative_to(settings.BASE_DIR)))
def test_views_never_take_all_rows(file):
    """`Model.objects.all()` in a view forgets the tenant; `for_user` does not."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    all_rows = [ast.unparse(call) for call in calls if ast.unparse(call.func).endswith("objects.all")]
    assert all_rows == []
