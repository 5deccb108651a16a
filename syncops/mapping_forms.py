"""What the Subscription Mapping page takes from a request, and how its list is narrowed."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from connections.models import Connection
from mappings.forms import LARGEST_ID, SINCE, TickedForm
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from portal.filters.fields import ListFilter, SearchFilter
from portal.models import Subscription
from syncops.bulk_mapping import mappable, unmapped

STATES = (
    ("all", "Every one"),
    ("mapped", "Mapped here"),
    ("ready", "Its customer and offer are mapped"),
    ("customer", "Its customer is not mapped"),
    ("offer", "Its offer is not mapped"),
)


class SinceForm(TickedForm):
    """Which subscriptions, and from when they are billed."""

    since = forms.ChoiceField(label="Bill them from", choices=SINCE, initial="today")


class DefaultContractForm(forms.Form):
    """The contract that takes a customer's subscriptions; the subscription tells customer and period type."""

    subscription = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    contract = forms.IntegerField(min_value=0, max_value=LARGEST_ID)


class MappingFilter(ListFilter):
    q = SearchFilter("Search", "Subscription, offer or customer")
    state = django_filters.ChoiceFilter(label="State", choices=STATES, empty_label="Not mapped", method="unchanged")

    def __init__(self, request: HttpRequest, connection: Connection) -> None:
        self.connection = connection
        super().__init__(request, mappable(connection))

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        rows: Any = super().filter_queryset(queryset)
        state, here = self.form.cleaned_data.get("state"), {"connection": self.connection}
        if state == "all":
            return rows
        if state == "mapped":
            return rows.filter(pk__in=SubscriptionMapping.objects.open().filter(**here).values("subscription"))
        customer = Q(customer__in=CustomerMapping.objects.filter(**here).values("customer"))
        offer = Q(variant__in=OfferMapping.objects.filter(**here).values("variant"))
        narrowed = {"ready": customer & offer, "customer": ~customer, "offer": ~offer}
        return unmapped(rows.filter(narrowed.get(state or "", Q())))  # the question for each row comes last

    def unchanged(self, rows: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return rows
