"""What people say about Azure months: which to look at, what they cost, which to send."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from mappings.forms import TickedForm
from portal.filters.fields import CustomerChoice, ListFilter, SearchFilter
from portal.models import Subscription
from syncops.azure.amounts import LARGEST
from syncops.azure.listing import STATES, last_month, narrowed, plans_in
from syncops.models import AzureMonth

MONTH = "%Y-%m"


def month_of(text: str) -> date | None:
    """The first day of a month as a browser sends it, 2026-05; None for anything else."""
    year, _, month = text.partition("-")
    if not (year.isdecimal() and month.isdecimal() and len(year) == 4 and 1 <= int(month) <= 12 and int(year) >= 2000):
        return None
    return date(int(year), int(month), 1)


class AzureMonthFilter(ListFilter):
    """Azure plans in one month: the last one, unless the address names another."""

    month = django_filters.CharFilter(
        label="Month",
        max_length=7,
        method="unchanged",
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-05", "autocomplete": "off"}),
    )
    q = SearchFilter("Search", "Plan or customer")
    state = django_filters.ChoiceFilter(label="State", choices=STATES, empty_label="Any state", method="unchanged")
    customer = CustomerChoice()

    def __init__(self, request: HttpRequest, today: date) -> None:
        user: Any = request.user
        self.chosen = month_of(request.GET.get("month", "")) or last_month(today)
        super().__init__(request, plans_in(user.organization, self.chosen))
        self.form.initial["month"] = self.chosen.strftime(MONTH)
        if self.data.get("month") in (None, ""):
            self.form.data = self.form.data.copy()
            self.form.data["month"] = self.chosen.strftime(MONTH)

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        rows: Any = super().filter_queryset(queryset)
        return narrowed(rows, self.form.cleaned_data.get("state") or "")

    def unchanged(self, rows: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return rows


def _money(label: str, *, required: bool = True, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=0,
        max_value=LARGEST,
        max_digits=16,
        decimal_places=6,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class AmountForm(forms.Form):
    """What one plan cost in one month. An empty price follows from the margins."""

    usage_cost = _money("Cost of the usage")
    reservations_cost = _money("Cost of reservations", required=False, help_text="Added to the usage.")
    price = _money("Price", required=False, help_text="Empty: it follows from the margin rule of the plan.")
    retail = _money(
        "Microsoft’s retail amount", required=False, help_text="Only where the margin rule is one on the retail price."
    )
    is_complete = forms.BooleanField(
        label="The billed reconciliation of this month is complete",
        required=False,
        help_text="Until it is, nothing is sent to Autotask.",
    )
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)

    @classmethod
    def showing(cls, row: AzureMonth | None) -> AmountForm:
        """The form as it is filled in beforehand."""
        if row is None:
            return cls()
        shown = {"usage_cost": plain(row.usage_cost), "reservations_cost": plain(row.reservations_cost)}
        given = {} if row.price_rule else {"price": plain(row.price)}
        return cls(initial=shown | given | {"is_complete": row.is_complete, "seen": row.fingerprint})


class SendForm(TickedForm):
    """Which months are sent, and what was seen of them."""

    seen = forms.CharField(required=False, max_length=24)


def plain(amount: Decimal) -> str:
    """An amount for a field: without needless zeros, with at least two places."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents if cents == amount else amount.normalize():f}"
