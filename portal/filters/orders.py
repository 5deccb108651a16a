"""Filters of the order list."""

import django_filters

from portal.filters.fields import CustomerChoice, ListFilter, OrganizationChoice, SearchFilter
from portal.models import Order

STATES = [(value, label) for value, label in Order.State.choices if value != Order.State.CART]


class OrderFilter(ListFilter):
    q = SearchFilter("Search", "Order number or customer")
    state = django_filters.ChoiceFilter(label="State", choices=STATES, empty_label="Any state")
    customer = CustomerChoice()
    organization = OrganizationChoice("Sold by")
