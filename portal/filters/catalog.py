"""Filters of the catalogue."""

import django_filters

from portal.filters.fields import ListFilter, SearchFilter
from portal.models import Offer, OfferVariant

TERMS = [(value, label) for value, label in OfferVariant.Term.choices if value]


class CatalogFilter(ListFilter):
    q = SearchFilter("Search", "Product or words of it")
    category = django_filters.ChoiceFilter(
        label="Category", field_name="offer__category", choices=Offer.Category, empty_label="Any category"
    )
    segment = django_filters.ChoiceFilter(label="Segment", choices=OfferVariant.Segment, empty_label="Any segment")
    term = django_filters.ChoiceFilter(label="Term", choices=TERMS, empty_label="Any term")
    billing = django_filters.ChoiceFilter(label="Billed", choices=OfferVariant.Billing, empty_label="Any frequency")
