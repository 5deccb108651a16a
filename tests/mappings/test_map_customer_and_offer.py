"""Which customer is which company, and which offer which service: rows, audit entries, and who was first."""

import pytest
from django.db import transaction

from mappings.actions import AlreadyMapped, map_customer, map_offer
from mappings.models import CustomerMapping, OfferMapping
from portal.audit import breaks
from portal.models import AuditEntry
from tests.cast import make_customer, make_variant
from tests.fake_psa import a_company, a_service
from tests.mappings.mirror import make_connection


def test_a_customer_mapping_is_written_with_its_audit_entry(mapping, cast):
    row = map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    entry = AuditEntry.objects.get()
    assert (row.company_id, row.company_name, row.created_by) == (1, "Contoso", cast.admin)
    assert (entry.name, entry.status) == ("Create Connection Customer Mapping", "succeeded")
    assert (entry.customer, entry.connection_name) == (mapping.customer, "Autotask")
    assert entry.asked["company"] == {"id": 1, "name": "Contoso"}
    assert list(breaks(cast.csp)) == []


def test_the_same_mapping_again_is_the_one_that_exists_and_no_second_entry(mapping):
    first = map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    offer = map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    subscription = mapping.map()
    assert map_customer(customer=mapping.customer, company=a_company(), **mapping.common) == first
    assert map_offer(variant=mapping.variant, service=a_service(), **mapping.common) == offer
    again = mapping.map()
    assert (again.mapping, again.entry) == (subscription.mapping, None)
    assert AuditEntry.objects.count() == 3


def test_a_customer_is_one_company_and_a_company_one_customer(mapping, cast):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    with pytest.raises(AlreadyMapped) as other_company:
        map_customer(customer=mapping.customer, company=a_company(2, "Fabrikam"), **mapping.common)
    with pytest.raises(AlreadyMapped) as other_customer:
        map_customer(customer=make_customer(cast.csp, "Northwind"), company=a_company(), **mapping.common)
    assert other_company.value.reason.text == "The customer is mapped to Contoso on this connection already."
    assert other_customer.value.reason.text == "Contoso is mapped to the customer Contoso already."
    assert CustomerMapping.objects.count() == AuditEntry.objects.count() == 1


def test_an_offer_is_one_service_and_a_service_one_offer(mapping, cast):
    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    with pytest.raises(AlreadyMapped) as other_service:
        map_offer(variant=mapping.variant, service=a_service(11, "M365 Basic"), **mapping.common)
    with pytest.raises(AlreadyMapped) as other_offer:
        map_offer(variant=make_variant(cast.csp, "Visio"), service=a_service(), **mapping.common)
    assert other_service.value.reason.code == "offer_mapped"
    assert "Microsoft 365 Business Basic · 1 year, monthly" in other_offer.value.reason.text
    assert OfferMapping.objects.count() == 1


def test_the_same_company_may_be_a_customer_on_another_connection(mapping, cast):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    other = make_connection(cast.csp, "Second")
    map_customer(customer=mapping.customer, company=a_company(), **(mapping.common | {"connection": other}))
    assert CustomerMapping.objects.count() == 2


def test_the_owners_own_company_is_refused_by_the_database(mapping):
    with pytest.raises(AlreadyMapped) as refused:
        map_customer(customer=mapping.customer, company=a_company(0, "Alder Cloud"), **mapping.common)
    assert refused.value.reason.code == "own_company"


def test_a_refusal_inside_a_transaction_leaves_what_was_written_before_to_the_caller(mapping):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)

    @transaction.atomic
    def both():
        map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
        map_customer(customer=mapping.customer, company=a_company(2, "Fabrikam"), **mapping.common)

    with pytest.raises(AlreadyMapped):
        both()
    assert OfferMapping.objects.count() == 0
    assert AuditEntry.objects.count() == 1
