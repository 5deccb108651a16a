"""Filters of the audit log."""

from datetime import datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from portal.filters.fields import CustomerChoice, ListFilter, SubscriptionChoice
from portal.models import AuditEntry, User

REMEMBERED_S = 300  # how long the names that occur in a tenant's log are remembered
SYSTEM = "system"


class SeenFilter(django_filters.CharFilter):
    """A value that occurs in the log, offered as a choice; a value that is not offered yet is accepted as well."""

    def __init__(self, label: str, empty_label: str, **options: Any) -> None:
        self.empty_label = empty_label
        super().__init__(label=label, widget=forms.Select, max_length=120, **options)

    def offer(self, values: list[tuple[str, str]], chosen: str) -> None:
        known = [value for value, _ in values]
        extra = [(chosen, chosen)] if chosen and chosen not in known else []
        self.extra["widget"] = forms.Select(choices=[("", self.empty_label), *values, *extra])


class DayFilter(django_filters.DateFilter):
    """The first or the last day, inclusive, in the person's time zone."""

    def __init__(self, label: str, *, last: bool) -> None:
        self.last = last
        super().__init__(label=label, field_name="started_at", widget=forms.DateInput(attrs={"type": "date"}))

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        begins = timezone.make_aware(datetime.combine(value + timedelta(days=int(self.last)), time.min))
        return qs.filter(**{"started_at__lt" if self.last else "started_at__gte": begins})


class AuditFilter(ListFilter):
    name = SeenFilter("Operation", "Any operation")
    status = django_filters.ChoiceFilter(label="Status", choices=AuditEntry.Status, empty_label="Any status")
    since = DayFilter("From", last=False)
    until = DayFilter("To", last=True)
    person = django_filters.ChoiceFilter(label="Who", method="by_person", empty_label="Anybody")
    customer = CustomerChoice()
    connection = SeenFilter("Connection", "Any connection", field_name="connection_name")
    subscription = SubscriptionChoice()
    correlation = django_filters.UUIDFilter(field_name="correlation_id", label="Correlation", widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> None:
        super().__init__(request, queryset)
        for field, column in (("name", "name"), ("connection", "connection_name")):
            self.filters[field].offer(seen(request, queryset, column), self.data.get(field, ""))
        self.filters["person"].extra["choices"] = lambda: [(SYSTEM, "The system"), *people_of(request)]

    def by_person(self, qs: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        return qs.filter(actor__isnull=True) if value == SYSTEM else qs.filter(actor_id=int(value))


def seen(request: HttpRequest, queryset: QuerySet[AuditEntry], column: str) -> list[tuple[str, str]]:
    """The values of `column` in what the person may see; remembered, because the whole log is read for them."""
    user: Any = request.user
    key = f"audit-{column}-{user.organization_id}"
    found: list[str] | None = cache.get(key)
    if found is None:
        found = sorted(filter(None, queryset.order_by().values_list(column, flat=True).distinct()))
        cache.set(key, found, REMEMBERED_S)
    return [(value, value) for value in found]


def people_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The people of the person's organization and its resellers, as choices."""
    return [(str(person.pk), str(person)) for person in User.objects.for_user(request.user)]
