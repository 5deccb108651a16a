"""A reseller, its sibling and their CSP: nobody sees or maps what another organization bills."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse

from mappings.models import CustomerMapping, MatchRun, OfferMapping, SubscriptionMapping, Suggestion
from portal.models import AuditEntry, Organization
from tests.architecture.test_views import OURS
from tests.cast import make_customer, make_subscription, make_user, make_variant
from tests.mappings.conftest import NOW
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row
from tests.mappings.test_mapping_pages import suggest

OF_MAPPINGS = [
    pattern
    for pattern in OURS
    if {"connection_id", "subscription_id"} & set(pattern.pattern.converters)
    or (pattern.callback.__module__.startswith("syncops.views.sync") and pattern.pattern.converters)
]
POSTED = {"connection": 1, "company": 1, "service": 10, "contract": 100, "do": "accept", "rows": [1]}
ASKERS = ("sibling", "parent")  # the stranger asks for every address in tests/architecture/test_tenants.py


@dataclass(frozen=True)
class Side:
    """An organization's connection, and what it bills."""

    connection: Any
    customer: Any
    variant: Any
    subscription: Any

    def kwargs(self, pattern, other):
        """What the address is filled in with: its own rows, on the connection of `other`."""
        nouns = (pattern.default_args or {}).get("nouns")
        row = {"customers": self.customer, "offers": self.variant}.get(nouns, self.subscription)
        known = {"connection_id": other.connection.pk, "subscription_id": self.subscription.pk, "pk": row.pk}
        return {name: known.get(name, "csv") for name in pattern.pattern.converters}


@pytest.fixture
def owner(cast):
    """A reseller that has something of everything."""
    side = make_side(cast.reseller, cast.csp)
    company_row(side.connection), service_row(side.connection), contract_row(side.connection)
    suggest(side.connection, customer=side.customer)
    MatchRun.objects.create(connection=side.connection, nouns="customers", kind="exact", started_at=NOW)
    return side


@pytest.fixture
def askers(cast):
    sibling = Organization.objects.create(kind="reseller", name="Sibling IT", parent=cast.csp, currency="EUR")
    Organization.objects.update(require_mfa=False)
    person = make_user("admin@sibling.example", sibling, "administrator")
    return {
        "sibling": (person, make_side(sibling, cast.csp)),
        "parent": (cast.admin, make_side(cast.csp, cast.csp)),
    }


def make_side(organization, catalogue):
    customer = make_customer(organization, f"Customer of {organization}")
    variant = make_variant(catalogue, f"Offer of {organization}")
    connection = make_connection(organization, f"Autotask of {organization}")
    return Side(connection, customer, variant, make_subscription(customer, variant))


def test_there_is_something_to_walk():
    assert len(OF_MAPPINGS) >= 25


@pytest.mark.parametrize("asker", ASKERS)
def test_nothing_of_another_is_found_or_changed_at_any_address(owner, askers, as_user, asker):
    person, own = askers[asker]
    client = as_user(person)
    for pattern in OF_MAPPINGS:
        app = pattern.callback.__module__.split(".")[0]
        for kwargs in ways_in(pattern, own, owner):
            url = reverse(f"{app}:{pattern.name}", kwargs=kwargs)
            for answer in (client.get(url, follow=True), client.post(url, POSTED, follow=True)):
                assert answer.status_code in (404, 405), f"{url}: {answer}"
    assert MatchRun.objects.get().state == "running"
    assert Suggestion.objects.get().state == "open"
    assert not any(model.objects.exists() for model in (CustomerMapping, OfferMapping, SubscriptionMapping))
    assert not AuditEntry.objects.filter(organization=owner.connection.organization).exists()


def ways_in(pattern, own, owner):
    """The owner's row and connection, and each of the two with what is the asker's own."""
    converters = set(pattern.pattern.converters)
    yield owner.kwargs(pattern, owner)
    if "connection_id" in converters:
        yield own.kwargs(pattern, owner)
        if converters & {"pk", "subscription_id"}:
            yield owner.kwargs(pattern, own)
