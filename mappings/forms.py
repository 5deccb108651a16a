"""What pickers and the choice of a mapping take from a request."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from mappings.bulk import ACTIONS
from mappings.likeness import DEFAULT_THRESHOLD
from mappings.models import MatchRun
from mappings.pickers import Noun, Search
from portal.paging import PAGE_SIZE

LARGEST_ID = 2**63 - 1
CHOICES = ("connection", "company", "service", "contract", "line", "since")
SINCE = (
    ("today", "Today"),
    ("open_period", "The start of the contract’s open period"),
    ("term", "The start of the subscription’s term"),
)


class SearchForm(forms.Form):
    """One picker's search; its fields carry the noun as prefix, so that three pickers share one page."""

    q = forms.CharField(required=False, max_length=100)
    left_out = forms.BooleanField(required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)


class ChoiceForm(forms.Form):
    """The three fields of a mapping, as ids of the PSA, and what to do about a line that is there already."""

    connection = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    company = forms.IntegerField(
        label="Customer",
        min_value=0,
        max_value=LARGEST_ID,
        error_messages={"required": "Choose the company that this customer is."},
    )
    service = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_ID,
        error_messages={"required": "Choose the service that this offer is."},
    )
    contract = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_ID,
        error_messages={"required": "Choose the contract that this subscription is billed on."},
    )
    line = forms.RegexField(r"^(beside|adopt-\d{1,18})$", required=False)
    since = forms.ChoiceField(choices=SINCE, required=False)

    @property
    def adopt_line_id(self) -> int | None:
        line = self.cleaned_data["line"]
        return int(line.removeprefix("adopt-")) if line.startswith("adopt-") else None

    @property
    def add_beside(self) -> bool:
        return bool(self.cleaned_data["line"] == "beside")


class TickedForm(forms.Form):
    """The rows of one page that were ticked."""

    rows = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        ids = [one for one in (data.getlist("rows") if data else [])[:PAGE_SIZE] if number(one) is not None]
        self.fields["rows"].choices = [(one, one) for one in ids]  # type: ignore[attr-defined]


class BulkForm(TickedForm):
    """What to do with the ticked rows."""

    do = forms.ChoiceField(choices=ACTIONS)


class MatchForm(forms.Form):
    """What a matching of names does, and how alike names must be for it."""

    kind = forms.ChoiceField(choices=MatchRun.OF_NAMES)
    threshold = forms.IntegerField(
        label="How alike", min_value=60, max_value=100, initial=DEFAULT_THRESHOLD, help_text="From 60 to 100, the same."
    )


def search_of(data: QueryDict, noun: Noun) -> Search:
    """What `data` asks the picker of `noun` for; whatever cannot be read counts as not asked."""
    form = SearchForm(data, prefix=noun)
    form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    return Search(
        text=asked.get("q", ""),
        chosen=number(data.get(noun)),
        left_out=asked.get("left_out", False),
        page=asked.get("page") or 1,
        carried={name: data[name] for name in CHOICES if data.get(name)},
    )


def number(text: str | None) -> int | None:
    """An id of the PSA, or None where `text` is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
