"""The pages of a file of many rows: handing it in, looking through its dry run, applying it, taking the report out."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from portal.import_run import run_import
from portal.imports import KINDS
from portal.models import Customer, SheetImport
from tests.cast import make_customer
from tests.portal.imports import KIND, handed_in
from tests.queries import assert_same_queries


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    monkeypatch.setitem(KINDS, KIND.name, KIND)


@pytest.fixture
def dry_run(cast):
    def make(*rows):
        return run_import(handed_in(cast, *rows, now=timezone.now()).pk, clock=timezone.now)

    make_customer(cast.csp, "Contoso", external_id="a")
    return make


def hand_in(client, cast, content, **fields):
    file = SimpleUploadedFile("my domains.csv", content)
    url = reverse("portal:import_new", args=["domains", cast.csp.pk])
    return client.post(url, {"file": file, "since": "term"} | fields)


def test_the_page_says_which_columns_it_asks_for(cast, as_user):
    html = as_user(cast.admin).get(reverse("portal:import_new", args=["domains", cast.csp.pk])).content.decode()
    assert all(words in html for words in ("<dt>Key</dt>", "<dt>Domain</dt>", 'enctype="multipart/form-data"', "20 MB"))


def test_a_file_is_handed_in_and_its_choice_kept(cast, as_user):
    answer = hand_in(as_user(cast.admin), cast, b"Key,Domain\na,a.example\n")
    run = SheetImport.objects.get()
    assert answer["Location"] == run.get_absolute_url()
    assert (run.file_name, run.options, run.state) == ("my domains.csv", {"since": "term"}, "reading")
    assert "Being read" in as_user(cast.admin).get(run.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"Key,Domain\n", "no row below the headings"),
        (b"Key\na\n", "The column Domain is missing"),
        (b"PK\x03\x04", "is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_at_once_and_the_choice_kept(cast, as_user, content, words):
    answer = hand_in(as_user(cast.admin), cast, content)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html
    assert '<option value="term" selected>' in html
    assert not SheetImport.objects.exists()


def test_without_a_file_it_says_so(cast, as_user):
    answer = as_user(cast.admin).post(reverse("portal:import_new", args=["domains", cast.csp.pk]), {"since": "today"})
    assert (answer.status_code, "Choose a file." in answer.content.decode()) == (422, True)


def test_the_dry_run_is_shown_narrowed_and_applied_with_leave(cast, as_user, dry_run):
    run, client = dry_run("a,a.example", "x,x.example"), as_user(cast.admin)
    html = client.get(run.get_absolute_url()).content.decode()
    assert all(
        words in html for words in ("1 row would be applied", "There is no such customer.", "Refused (1)", "+5.00")
    )
    only = client.get(run.get_absolute_url(), {"show": "refuse"}).content.decode()
    assert "a.example" not in only
    url = reverse("portal:import_apply", args=[run.pk])
    refusal = client.post(url)
    assert (refusal.status_code, "Tick the box" in refusal.content.decode()) == (422, True)
    assert client.post(url, {"partial": "on"}).status_code == 302
    run_import(run.pk, clock=timezone.now)
    html = client.get(run.get_absolute_url()).content.decode()
    assert "1 row applied" in html
    assert Customer.objects.get(external_id="a").domain == "a.example"


def test_the_part_that_is_polled_ends_with_the_page(cast, as_user, dry_run):
    client, htmx = as_user(cast.admin), {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "run"}
    run = handed_in(cast, "a,a.example", now=timezone.now())
    polled = client.get(run.get_absolute_url(), **htmx)
    assert b"<html" not in polled.content
    assert b"every 1s" in polled.content
    run_import(run.pk, clock=timezone.now)
    assert client.get(run.get_absolute_url(), **htmx)["HX-Redirect"] == run.get_absolute_url()


def test_the_report_can_be_mended_and_handed_in_again(cast, as_user, dry_run):
    run, client = dry_run("a,a.example", "=x,x.example"), as_user(cast.admin)
    answer = client.get(reverse("portal:import_report", args=[run.pk, "csv"]))
    content = answer.getvalue()
    (line,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert (line["Key"], line["Row"], line["Refused because"]) == ("'=x", "3", "There is no such customer.")
    assert hand_in(client, cast, content.replace(b"'=x", b"a")).status_code == 302
    assert client.get(reverse("portal:import_report", args=[run.pk, "pdf"])).status_code == 404


def test_a_dry_run_that_is_not_wanted_goes(cast, as_user, dry_run):
    run = dry_run("a,a.example")
    assert as_user(cast.admin).post(reverse("portal:import_discard", args=[run.pk]))["Location"] == "/customers/"
    run.refresh_from_db()
    assert (run.state, run.rows.count()) == ("discarded", 0)


def test_nobody_else_sees_it_or_does_anything_with_it(cast, as_user, dry_run):
    run = dry_run("a,a.example")
    for user, status in ((cast.stranger, 404), (cast.reseller_admin, 404), (cast.reader, 403)):
        client = as_user(user)
        assert client.get(run.get_absolute_url()).status_code == status
        assert client.get(reverse("portal:import_report", args=[run.pk, "csv"])).status_code == status
        assert client.post(reverse("portal:import_apply", args=[run.pk])).status_code == status
        assert client.post(reverse("portal:import_discard", args=[run.pk])).status_code == status
        assert hand_in(client, cast, b"Key,Domain\na,b\n").status_code == status
    assert SheetImport.objects.get().state == "ready"


def test_the_page_takes_as_many_queries_for_twenty_rows_as_for_ten(cast, as_user, dry_run):
    run = dry_run("a,a.example")
    client = as_user(cast.admin)

    def ten():
        last = run.rows.order_by("-number").first()
        for _ in range(10):
            last.pk, last.number = None, last.number + 1
            last.save(force_insert=True)

    assert_same_queries(client, run.get_absolute_url(), ten)
