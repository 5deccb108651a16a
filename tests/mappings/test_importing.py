"""Mappings from a file: judged by the rules of the picker, nothing remapped in silence, nothing of others found."""

import csv
import io

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mappings.actions import map_customer, map_offer
from mappings.models import CustomerMapping, OfferMapping
from portal.actions.imports import accept_import, start_import
from portal.audit import Actor
from portal.import_run import run_import
from portal.imports import KINDS
from portal.models import AuditEntry
from portal.sheet_reading import open_sheet
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import a_company, a_service
from tests.mappings.conftest import NOW
from tests.mappings.mirror import company_row, service_row

HEADER = "Microsoft tenant id;Company id;Company\n"


@pytest.fixture
def file(mapping, cast):
    """Hand a file in, and give its dry run; `apply` as well where it is said."""

    def hand_in(text, noun="customer", apply=False, partial=False):
        kind = KINDS[f"{noun}_mappings"]
        place = kind.place(cast.csp.pk, mapping.connection.pk)
        content = text if isinstance(text, bytes) else text.encode("cp1252")
        made = {"content": content, "name": "mappings.csv", "options": {}, "actor": Actor.user(cast.admin), "now": NOW}
        run = run_import(start_import(kind, place, **made).pk, clock=lambda: NOW)
        if apply:
            accept_import(run, kind, partial=partial, actor=Actor.user(cast.admin), now=NOW)
            run = run_import(run.pk, clock=lambda: NOW)
        return run

    company_row(mapping.connection, 1, "Contoso")
    company_row(mapping.connection, 2, "Müller")
    company_row(mapping.connection, 3, "Old", is_active=False)
    return hand_in


def told(run):
    return [(row.effect, " ".join(text for text, _ in row.reasons) or row.words) for row in run.rows.order_by("number")]


def test_customers_are_mapped_with_an_entry_each(file, mapping):
    second = make_customer(mapping.customer.organization, "Second")
    run = file(HEADER + f"{mapping.customer.external_id};1;Contoso NV\n{second.external_id};2;Muller\n", apply=True)
    assert run.state == "applied"
    assert {one.customer.name: one.company_id for one in CustomerMapping.objects.all()} == {"Contoso": 1, "Second": 2}
    names = list(AuditEntry.objects.order_by("sequence").values_list("name", flat=True))
    assert names == ["Import Connection Customer Mappings", *["Create Connection Customer Mapping"] * 2]
    assert len(set(AuditEntry.objects.values_list("correlation_id", flat=True))) == 1


def test_each_row_says_why_it_is_refused(file, mapping, cast):
    theirs, others = make_customer(cast.reseller, "Theirs"), make_customer(cast.other_csp, "Others")
    key = mapping.customer.external_id
    rows = [f"{key};{id}" for id in ("3", "999", "=1+1", "0")]
    company_row(mapping.connection, 0, "Own")
    for row, words in zip(
        [*rows, f"{theirs.external_id};1", f"{others.external_id};1", "no such;1", ";1", f"{key};1;Fabrikam"],
        [
            "Old is inactive.",
            "Autotask has no company 999.",
            "“=1+1” is no id.",
            "Own is your own company in Autotask.",
            f"No customer here has the Microsoft tenant id {theirs.external_id}.",
            f"No customer here has the Microsoft tenant id {others.external_id}.",
            "No customer here has the Microsoft tenant id no such.",
            "Microsoft tenant id is empty.",
            "The file calls company 1 “Fabrikam”, in Autotask it is Contoso.",
        ],
        strict=True,
    ):
        assert told(file(HEADER + row + "\n")) == [("refuse", words)]


def test_an_existing_mapping_is_changed_only_where_it_says_so_and_nothing_is_billed(file, mapping):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    row = f"{mapping.customer.external_id};2\n"
    assert told(file(HEADER + f"{mapping.customer.external_id};1\n")) == [("same", "Is Contoso (#1) already.")]
    run = file(HEADER + row, apply=True)
    assert [one.words for one in run.rows.all()] == ["Becomes Müller (#2) instead of Contoso (#1)."]
    assert (run.rows.get().effect, CustomerMapping.objects.get().company_id) == ("change", 2)
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.before["company_id"], entry.after["company_id"]) == (1, 2)
    mapping.map()
    refused = told(file(HEADER + f"{mapping.customer.external_id};1\n"))
    assert refused == [("refuse", "1 of this customer's subscriptions are billed on contracts of Müller.")]


def test_what_somebody_mapped_meanwhile_stops_the_file(file, mapping):
    kind, second = KINDS["customer_mappings"], make_customer(mapping.customer.organization, "Second")
    run = file(HEADER + f"{mapping.customer.external_id};1\n")
    map_customer(customer=second, company=a_company(), **mapping.common)
    accept_import(run, kind, partial=False, actor=mapping.actor, now=NOW)
    run = run_import(run.pk, clock=lambda: NOW)
    assert run.state == "ready"
    assert told(run) == [("refuse", "Contoso is mapped to the customer Second already.")]


def test_two_rows_for_one_company_are_both_refused(file, mapping):
    second = make_customer(mapping.customer.organization, "Second")
    run = file(HEADER + f"{mapping.customer.external_id};1\n{second.external_id};1\n")
    assert [effect for effect, _ in told(run)] == ["refuse", "refuse"]


def test_offers_are_told_apart_by_their_terms(file, mapping, cast):
    yearly = make_variant(cast.csp, billing="annual")
    make_subscription(mapping.customer, yearly)
    service_row(mapping.connection, 10, "Basic")
    service_row(mapping.connection, 11, "Basic yearly", period="yearly")
    item, header = yearly.catalog_item_id, "Catalogue item,Details,Service id\n"
    assert told(file(f"Catalogue item,Service id\n{item},11\n", "offer"))[0][0] == "refuse"
    run = file(header + f'{item},"{yearly.terms}",11\n{item},"{mapping.variant.terms}",10\n', "offer", apply=True)
    assert run.state == "applied"
    assert {one.variant.billing: one.service_id for one in OfferMapping.objects.all()} == {"annual": 11, "monthly": 10}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_comes_back_as_it_is(file, mapping, cast, as_user, kind):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    service_row(mapping.connection)
    make_customer(cast.csp, "=Second")
    for noun, effects in (("customer", {"same", "skip"}), ("offer", {"same"})):
        url = reverse(f"mappings:{noun}_export", args=[mapping.connection.pk, kind])
        run = file(as_user(cast.operations).get(url, {"hide": "no"} if noun == "offer" else {}).getvalue(), noun)
        assert {effect for effect, _ in told(run)} == effects


def test_judging_asks_as_much_for_one_row_as_for_many(file, mapping, cast):
    kind, counts = KINDS["customer_mappings"], []
    for count in (10, 20):
        rows = [make_customer(cast.csp, f"C{count}-{n}").external_id for n in range(count)]
        text = HEADER + "".join(f"{row};{n}\n" for n, row in enumerate(rows, start=5000))
        run = file(text)
        read = list(open_sheet(text.encode(), kind.columns).rows)
        with CaptureQueriesContext(database) as queries:
            kind.judge(run, read)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_the_report_of_the_export_holds_the_same_columns(file, mapping, as_user, cast):
    run = file(HEADER + "no such;1\n")
    answer = as_user(cast.admin).get(reverse("portal:import_report", args=[run.pk, "csv"]))
    (line,) = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert (line["Microsoft tenant id"], line["Company id"]) == ("no such", "1")
