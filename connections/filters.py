"""Filters of the connection list."""

import django_filters

from connections.models import Connection
from portal.filters.fields import ListFilter, SearchFilter


class ConnectionFilter(ListFilter):
    q = SearchFilter("Search", "Name")
    kind = django_filters.ChoiceFilter(choices=Connection.Kind.choices, label="Kind", empty_label="Any kind")
    state = django_filters.ChoiceFilter(choices=Connection.State.choices, label="State", empty_label="Any state")
