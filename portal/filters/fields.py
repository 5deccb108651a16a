"""What the filters of all lists share: one base, and fields for searching and for choosing what the person may see."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.models import Customer, Organization, Subscription

MANY = 100  # more choices than this are searched for instead of listed


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that came with a link: its field and value, its words, and the address without it."""

    name: str
    value: str
    label: str
    text: str
    url_without: str


class ListFilter(django_filters.FilterSet):
    """Filters that live in the address. What this person has nothing to choose from is left out.

    A value that is not one of the person's choices is reported beside its field and filters nothing.
    """

    def __init__(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().__init__(request.GET, queryset=queryset, request=request)
        user: Any = request.user
        if user.organization.parent_id is not None:
            self.filters.pop("organization", None)
        if "customer" in self.filters and len(customers_of(request).values_list("pk")[: MANY + 1]) > MANY:
            self.filters["customer"].extra["widget"] = forms.HiddenInput

    @property
    def is_active(self) -> bool:
        """True where any filter narrows the list."""
        return any(self.data.get(name) for name in self.filters)

    @property
    def chips(self) -> list[Chip]:
        """What narrows the list without a field of its own: came with a link, and can be taken away."""
        chosen = self.form.cleaned_data if self.form.is_valid() else {}
        found = []
        for bound in self.form.hidden_fields():
            if chosen.get(bound.name):
                rest = self.data.copy()
                for name in (bound.name, "after", "before"):
                    rest.pop(name, None)
                found.append(
                    Chip(bound.name, bound.value(), bound.label, str(chosen[bound.name]), f"?{rest.urlencode()}")
                )
        return found


class SearchFilter(django_filters.CharFilter):
    """Words that must all occur, by the queryset's own `search`."""

    def __init__(self, label: str, placeholder: str) -> None:
        widget = forms.TextInput(attrs={"type": "search", "placeholder": placeholder, "autocomplete": "off"})
        super().__init__(label=label, widget=widget, max_length=100)

    def filter(self, qs: Any, value: str) -> Any:
        return qs.search(value) if value else qs


class CustomerChoice(django_filters.ModelChoiceFilter):
    """One of the person's customers."""

    def __init__(self) -> None:
        super().__init__(queryset=customers_of, label="Customer", empty_label="Any customer")


class SubscriptionChoice(django_filters.ModelChoiceFilter):
    """One of the person's subscriptions: it comes with a link, and shows as a chip."""

    def __init__(self) -> None:
        super().__init__(queryset=subscriptions_of, label="Subscription", widget=forms.HiddenInput)


class OrganizationChoice(django_filters.ModelChoiceFilter):
    """The person's own organization or one of its resellers; left out for resellers, who have no choice."""

    def __init__(self, label: str) -> None:
        super().__init__(queryset=organizations_of, label=label, empty_label="Anybody")


def customers_of(request: HttpRequest) -> QuerySet[Customer]:
    """The customers that the person may choose from."""
    return Customer.objects.for_user(request.user).order_by("name", "pk")


def subscriptions_of(request: HttpRequest) -> QuerySet[Subscription]:
    return Subscription.objects.for_user(request.user).select_related("customer")


def organizations_of(request: HttpRequest) -> QuerySet[Organization]:
    """The person's organization and its resellers."""
    return Organization.objects.for_user(request.user)
