"""The mapping pages as files: what the filters leave, identifiers as text, nothing of others."""

import csv
import io

import pytest
from django.urls import reverse

from mappings.actions import map_offer
from tests.cast import make_customer
from tests.fake_psa import a_service
from tests.mappings.test_mapping_pages import suggest


@pytest.fixture
def lines(mapping, cast, as_user):
    def fetch(noun="customer", kind="csv", user=cast.operations, **query):
        url = reverse(f"mappings:{noun}_export", args=[mapping.connection.pk, kind])
        answer = as_user(user).get(url, query)
        if answer.status_code != 200 or kind != "csv":
            return answer
        return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    return fetch


def test_customers_go_out_with_what_they_may_be(lines, mapping, cast):
    suggest(mapping.connection, customer=mapping.customer)
    make_customer(cast.reseller, "Through the reseller")
    (line,) = lines()
    assert line["Microsoft tenant id"] == mapping.customer.external_id
    assert (line["Customer"], line["State"], line["Company id"]) == ("Contoso", "Suggested", "")
    assert (line["Suggested id"], line["Suggested"]) == ("5", "Contoso NV")


def test_offers_go_out_as_the_filters_leave_them(lines, mapping):
    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    assert lines("offer") == []
    (line,) = lines("offer", hide="no")
    assert (line["State"], line["Service id"], line["Service"]) == ("Mapped", "10", "Microsoft 365 Business Basic")


def test_a_name_that_looks_like_a_formula_is_made_harmless(lines, mapping):
    mapping.customer.name = "=cmd|' /C calc'!A0"
    mapping.customer.save()
    assert lines()[0]["Customer"].startswith("'=")


def test_excel_comes_as_a_file_and_nothing_else_is_known(lines):
    assert lines(kind="xlsx")["Content-Disposition"].endswith('.xlsx"')
    assert lines(kind="pdf").status_code == 404


def test_a_filter_that_is_not_understood_exports_nothing(lines):
    assert lines(state="everything").status_code == 302


def test_readers_and_strangers_take_nothing_out(lines, cast):
    assert lines(user=cast.reader).status_code == 403
    assert lines(user=cast.stranger).status_code == 404
