"""Filters of the subscription list."""

import django_filters

from portal.filters.fields import CustomerChoice, ListFilter, OrganizationChoice, SearchFilter
from portal.models import Offer, Subscription


class SubscriptionFilter(ListFilter):
    q = SearchFilter("Search", "Subscription, offer or customer")
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status, empty_label="Any status")
    customer = CustomerChoice()
    category = django_filters.ChoiceFilter(
        label="Category", field_name="variant__offer__category", choices=Offer.Category, empty_label="Any category"
    )
    organization = OrganizationChoice("Sold by")
