"""Filters of the customer list."""

from portal.filters.fields import ListFilter, OrganizationChoice, SearchFilter


class CustomerFilter(ListFilter):
    q = SearchFilter("Search", "Name or domain")
    organization = OrganizationChoice("Sold by")
