"""Filters of the operations list."""

import django_filters
from django.db.models import Q
from django.forms import DateInput, HiddenInput, TextInput

from connections.models import Connection
from portal.filters.fields import ListFilter, SearchFilter, SubscriptionChoice, customers_of
from syncops.models import SyncOperation, SyncOperationQuerySet
from syncops.operations import REGISTRY
from syncops.troubles import TROUBLES

GROUPS = (
    ("open", "Open", SyncOperation.OPEN),
    ("needs_a_person", "Needs a person", SyncOperation.NEEDS_A_PERSON),
    ("final", "Finished", SyncOperation.FINAL),
)


def _connections(request):  # type: ignore[no-untyped-def]
    return Connection.objects.for_user(request.user).set_up().autotask()


class OperationFilter(ListFilter):
    q = SearchFilter("Search", "Subscription, offer or customer")
    state = django_filters.ChoiceFilter(
        label="State",
        empty_label="Any state",
        choices=[*((name, words) for name, words, _ in GROUPS), *SyncOperation.State.choices],
        method="by_state",
    )
    kind = django_filters.ChoiceFilter(
        label="Kind", empty_label="Any kind", choices=[(kind.name, kind.label) for kind in REGISTRY.values()]
    )
    connection = django_filters.ModelChoiceFilter(
        label="Connection", empty_label="Any connection", queryset=_connections
    )
    customer = django_filters.ModelChoiceFilter(
        label="Customer", field_name="subscription__customer", empty_label="Any customer", queryset=customers_of
    )
    subscription = SubscriptionChoice()
    since = django_filters.DateFilter(
        label="Effective from", field_name="effective_on", lookup_expr="gte", widget=DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label="Effective to", field_name="effective_on", lookup_expr="lte", widget=DateInput(attrs={"type": "date"})
    )
    error = django_filters.ChoiceFilter(
        label="Error",
        field_name="error_kind",
        empty_label="Any error",
        choices=sorted(((kind, trouble.title) for kind, trouble in TROUBLES.items()), key=lambda choice: choice[1]),
    )
    words = django_filters.CharFilter(
        label="Words of the error",
        max_length=100,
        method="by_words",
        widget=TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    reason = django_filters.CharFilter(label="Reason", field_name="error_group", max_length=200, widget=HiddenInput)

    def by_state(self, queryset, name, value):  # type: ignore[no-untyped-def]
        groups = {name: states for name, _, states in GROUPS}
        return queryset.filter(state__in=groups.get(value, (value,)))

    def by_words(self, queryset, name, value):  # type: ignore[no-untyped-def]
        return with_words(queryset, value)


def with_words(operations: SyncOperationQuerySet, words: str) -> SyncOperationQuerySet:
    """Operations whose error, or what the far side said, holds every word."""
    for word in words.split():
        operations = operations.filter(Q(error__icontains=word) | Q(raw_answer__icontains=word))
    return operations
