"""Filters of the mapping pages."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest

from mappings.boards import STATES, Board
from portal.filters.fields import ListFilter, SearchFilter

HIDE, SHOW = ("yes", "Yes"), ("no", "No")


class BoardFilter(ListFilter):
    """Searching, a state, and whether what is mapped is hidden; which of the two is usual depends on the page."""

    q = SearchFilter("Search", "Any part of the name")
    state = django_filters.ChoiceFilter(label="State", choices=STATES, empty_label="Any state", method="by_state")
    hide = django_filters.ChoiceFilter(label="Hide mapped", choices=[HIDE, SHOW], method="unchanged")

    def __init__(self, request: HttpRequest, board: Board) -> None:
        self.board = board
        super().__init__(request, board.everything())
        usual, other = (HIDE, SHOW) if board.hides_mapped else (SHOW, HIDE)
        self.filters["hide"].extra |= {"empty_label": usual[1], "choices": [other]}

    @property
    def hides_mapped(self) -> bool:
        asked = self.data.get("hide") or (HIDE if self.board.hides_mapped else SHOW)[0]
        return asked == HIDE[0] and not self.data.get("state")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return rows
        return self.board.unmapped(rows) if self.hides_mapped else rows.exclude(self.board.cannot())

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return self.board.in_state(rows, value)

    def unchanged(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows
