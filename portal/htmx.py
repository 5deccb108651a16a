"""The one place that tells a fragment from a page."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect


def wants_fragment(request: HttpRequest) -> bool:
    """True where HTMX will swap a part of the page; a boosted or history request wants the whole page."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only its named partial `fragment` where HTMX asks for it.

    The answer varies on HX-Request, so that a cache never hands a fragment to somebody who wants the page.
    """
    name = f"{template}#{fragment}" if fragment and wants_fragment(request) else template
    response = render(request, name, context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


def hx_redirect(request: HttpRequest, to: str | Model, *args: Any, **kwargs: Any) -> HttpResponse:
    """Go to a page (a URL name, an address, or a row with get_absolute_url), with or without HTMX."""
    url = resolve_url(to, *args, **kwargs)
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else HttpResponseRedirect(url)
