"""Where the higher apps put their part on the floor's pages: registered in their AppConfig.ready, never imported from
here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page: a template and what it needs."""

    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words: `tone` is ok, info, warn, bad or muted."""

    tone: str
    text: str
    url: str = ""


PanelSource = Callable[[HttpRequest, Any], Panel | None]
BadgeSource = Callable[[Sequence[int]], Mapping[int, Badge]]

_panels: dict[str, list[PanelSource]] = {}
_badges: dict[str, list[BadgeSource]] = {}


def add_panel(place: str, source: PanelSource) -> None:
    """Show what `source(request, row)` gives at `place` ("subscription", "subscription_list", "order", "customer",
    "customer_actions", "margins", "home")."""
    _panels.setdefault(place, []).append(source)


def add_badges(place: str, source: BadgeSource) -> None:
    """Show the badges of `source(ids)` on the rows of a list; one call, and so few queries, for the whole page."""
    _badges.setdefault(place, []).append(source)


def panels_for(place: str, request: HttpRequest, row: Model | None) -> list[Panel]:
    return [panel for source in _panels.get(place, []) if (panel := source(request, row)) is not None]


def badges_for(place: str, ids: Sequence[int]) -> dict[int, list[Badge]]:
    found: dict[int, list[Badge]] = {}
    for source in _badges.get(place, []):
        for pk, badge in source(ids).items():
            found.setdefault(pk, []).append(badge)
    return found
