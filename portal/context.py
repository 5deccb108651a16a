"""What every page's frame needs: the navigation, by the person's permissions and by what is installed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from portal.permissions import allowed

Count = Callable[[HttpRequest], int]
_counts: dict[str, Count] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation. `url` is a URL name; an entry whose name does not resolve is left out, and so is one
    that is `only_counted` while its count is zero.
    """

    text: str
    url: str
    icon: str
    permission: str = "portal.read"
    group: str = ""
    only_counted: bool = False


ENTRIES = (
    Entry("Overview", "portal:home", "house"),
    Entry("Customers", "portal:customer_list", "building-2"),
    Entry("Subscriptions", "portal:subscription_list", "layers"),
    Entry("Orders", "portal:order_list", "shopping-cart"),
    Entry("Operations", "syncops:operation_list", "arrow-left-right"),
    Entry("Inbox", "syncops:inbox", "inbox"),
    Entry("Azure months", "syncops:azure_months", "cloud"),
    Entry("Rehearsal", "syncops:rehearsal_list", "eye", only_counted=True),
    Entry("Mappings", "mappings:mapping_home", "link", "mappings.map"),
    Entry("Audit logs", "portal:audit_list", "scroll-text", "portal.audit"),
    Entry("Connections", "connections:connection_list", "plug", "connections.manage", "Administration"),
    Entry("Margins", "portal:margins", "percent", "portal.read", "Administration"),
    Entry("Members", "portal:members", "users", "portal.members", "Administration"),
)


def add_count(url: str, count: Count) -> None:
    """Show `count(request)` beside the navigation's entry of that URL name, where it is not zero."""
    _counts[url] = count


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as this person sees it on this page. `current`: "page" on its own page, "true" below it, else empty."""

    text: str
    href: str
    icon: str
    current: str
    count: int
    group: str


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`navigation` for templates: a callable, so that fragments, which have no frame, never pay for it."""
    return {"navigation": lru_cache(maxsize=1)(lambda: links_for(request))}


def links_for(request: HttpRequest) -> list[Link]:
    """The entries that this person may open, with the one that this page belongs to marked."""
    found = []
    for entry in ENTRIES:
        href = _address(entry.url)
        if href is None or not allowed(request.user, entry.permission):
            continue
        count = _counts[entry.url](request) if entry.url in _counts else 0
        if entry.only_counted and not count:
            continue
        found.append(Link(entry.text, href, entry.icon, _current(request.path, href), count, entry.group))
    return found


@lru_cache
def _address(url: str) -> str | None:
    try:
        return reverse(url)
    except NoReverseMatch:
        return None


def _current(path: str, href: str) -> str:
    if path == href:
        return "page"
    return "true" if href != "/" and path.startswith(href) else ""
