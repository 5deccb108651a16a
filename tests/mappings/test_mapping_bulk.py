"""Doing one thing to every ticked row: those that can be are, the others say why not."""

import pytest
from django.urls import reverse

from mappings.models import CustomerMapping, Suggestion
from portal.models import AuditEntry
from tests.cast import make_customer
from tests.mappings.mirror import company_row
from tests.mappings.test_mapping_pages import suggest


@pytest.fixture
def bulk(mapping, cast, as_user):
    def post(do, *rows, user=cast.operations, **fields):
        url = reverse("mappings:customer_bulk", args=[mapping.connection.pk])
        data = {"do": do, "rows": [getattr(row, "pk", row) for row in rows], **fields}
        return as_user(user).post(url, data, follow=True)

    return post


@pytest.fixture
def three(mapping, cast):
    """A customer with a suggestion, one whose suggestion is not eligible any more, one without."""
    second, third = make_customer(cast.csp, "Second"), make_customer(cast.csp, "Third")
    company_row(mapping.connection, 1, "Contoso NV")
    company_row(mapping.connection, 2, "Second NV", is_active=False)
    suggest(mapping.connection, 1, customer=mapping.customer)
    suggest(mapping.connection, 2, customer=second)
    return mapping.customer, second, third


def test_suggestions_are_accepted_and_what_was_refused_is_named(bulk, three):
    html = bulk("accept", *three).content.decode()
    assert "1 mapped." in html
    assert "Second: Second NV is inactive." in html
    assert "Third: There is no single suggestion to accept." in html
    assert [one.customer for one in CustomerMapping.objects.all()] == [three[0]]


def test_suggestions_are_rejected_and_mappings_removed(bulk, three):
    bulk("accept", three[0])
    assert "1 no longer mapped; nothing was changed in Autotask." in bulk("remove", three[0]).content.decode()
    assert not CustomerMapping.objects.exists()
    bulk("reject", three[1])
    assert Suggestion.objects.get().state == "rejected"
    assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize("rows", [[], ["x"], ["9" * 30]])
def test_without_a_row_nothing_is_done_and_said_so(bulk, rows):
    assert "Tick the rows first" in bulk("accept", *rows).content.decode()
    assert "Tick the rows first" in bulk("delete_everything", *rows).content.decode()


def test_the_list_comes_back_as_it_was_filtered(bulk, three):
    answer = bulk("accept", three[0], query="state=suggested&q=co")
    assert answer.redirect_chain[-1][0].endswith("?state=suggested&q=co")


def test_rows_of_others_and_readers_are_left_alone(bulk, three, cast):
    theirs = make_customer(cast.reseller, "Through the reseller")
    assert "0 mapped." in bulk("accept", theirs).content.decode()
    assert bulk("accept", three[0], user=cast.reader).status_code == 403
    assert bulk("accept", three[0], user=cast.stranger).status_code == 404
    assert not CustomerMapping.objects.exists()
