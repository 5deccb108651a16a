"""Template tags and filters of the house: icons, badges, fields, money, dates, and the higher apps' panels."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from portal.currencies import minor_unit_places, to_minor_unit
from portal.dates import in_words
from portal.panels import panels_for

register = template.Library()

NO_VALUE = "–"
NO_BREAK = "\u00a0"
MINUS = "\u2212"
MOST_DIGITS = 4  # prices are stored with four

TONE_ICONS = {
    "ok": "circle-check",
    "info": "circle-dot",
    "warn": "triangle-alert",
    "bad": "circle-x",
    "muted": "circle-dashed",
}

# One state, one tone, wherever it is shown: a word that two nouns share means the same on both.
TONES = {
    "ok": ("active", "applied", "completed", "live", "succeeded", "synced"),
    "info": (
        "applying",
        "checking",
        "in_progress",
        "pending",
        "placing",
        "planned",
        "provisioning",
        "queued",
        "reading",
        "ready",
        "running",
        "sending",
        "submitted",
    ),
    "warn": (
        "held",
        "partly_failed",
        "paused",
        "rehearse",
        "rehearsed",
        "suspended",
        "uncertain",
        "unknown",
        "unsupported",
    ),
    "bad": ("disabled", "failed", "not_applied", "rejected", "unauthorized"),
}
TONE_OF_STATE = {state: tone for tone, states in TONES.items() for state in states}


@register.simple_tag
@cache
def icon(name: str, size: int = 18) -> SafeString:
    """A Lucide icon as inline SVG, hidden from assistive technology: the words beside it say the same."""
    drawing = lucide(name, size=size, stroke_width="1.75", aria_hidden="true", focusable="false")
    return mark_safe(" ".join(drawing.replace("<svg ", '<svg class="icon" ', 1).split()))  # noqa: S308  drawn by the icon package


@register.simple_tag
def badge(tone: str, text: Any) -> SafeString:
    """A state as icon, text and colour. `tone`: ok, info, warn, bad or muted."""
    return _badge(tone, str(text))


@lru_cache(maxsize=512)
def _badge(tone: str, text: str) -> SafeString:
    tone = tone if tone in TONE_ICONS else "muted"
    return format_html('<span class="badge badge--{}">{}{}</span>', tone, icon(TONE_ICONS[tone], 14), text)


@register.filter
def tone(state: str) -> str:
    """The badge tone of a state's stored value."""
    return TONE_OF_STATE.get(str(state), "muted")


@register.filter
def money(amount: Decimal | int | str | None, currency: str) -> str:
    """1234.5 in EUR as "1,234.50 EUR". More digits than the currency's minor unit are kept where they say something."""
    if amount is None or amount == "":
        return NO_VALUE
    value, digits = Decimal(amount), minor_unit_places(currency)
    if to_minor_unit(value, currency) != value:
        digits = max(digits, min(MOST_DIGITS, -int(value.normalize().as_tuple().exponent)))
    return f"{value:,.{digits}f}".replace("-", MINUS) + NO_BREAK + currency


@register.filter
def money_change(amount: Decimal | int | str | None, currency: str) -> str:
    """A difference in money, with its sign: "+12.00 EUR"."""
    shown = money(amount, currency)
    return f"+{shown}" if amount not in (None, "") and Decimal(amount) > 0 else shown


@register.filter
def percent(value: Decimal) -> str:
    """12.5000 as "12.5 %"."""
    return f"{value.normalize():f}{NO_BREAK}%"


@register.filter
def day(value: date | datetime | None) -> str:
    """A date as "5 May 2026"; of a moment, the day in the person's time zone."""
    if not value:
        return NO_VALUE
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return in_words(value)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A moment as "5 May 2026, 14:03" in the person's time zone, with the exact time for machines."""
    if not value:
        return NO_VALUE
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}, {}</time>', value.isoformat(), day(local.date()), f"{local:%H:%M}")


@register.simple_tag
def field(bound: BoundField) -> str:
    """A form field: label, control, help and errors, joined for assistive technology."""
    widget = bound.field.widget
    grouped = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    context = {"field": bound, "is_group": grouped, "is_check": isinstance(widget, CheckboxInput)}
    return bound.as_hidden() if bound.is_hidden else render_to_string("portal/_field.html", context)


@register.simple_tag(takes_context=True)
def panels(context: Context, place: str, row: Any = None) -> SafeString:
    """What the higher apps show at `place` about `row`."""
    request = context["request"]
    parts = [render_to_string(p.template, dict(p.context), request) for p in panels_for(place, request, row)]
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped by its own template
