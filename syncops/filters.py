"""Filters of the operations list."""

import django_filters
from django.forms import DateInput

from connections.models import Connection
from portal.filters.fields import ListFilter, SearchFilter, SubscriptionChoice, customers_of
from syncops.models import SyncOperation
from syncops.operations import REGISTRY

GROUPS = (
    ("open", "Open", SyncOperation.OPEN),
    ("needs_a_person", "Needs a person", SyncOperation.NEEDS_A_PERSON),
    ("final", "Finished", SyncOperation.FINAL),
)


def _connections(request):  # type: ignore[no-untyped-def]
    return Connection.objects.for_user(request.user).autotask()


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

    def by_state(self, queryset, name, value):  # type: ignore[no-untyped-def]
        groups = {name: states for name, _, states in GROUPS}
        return queryset.filter(state__in=groups.get(value, (value,)))
