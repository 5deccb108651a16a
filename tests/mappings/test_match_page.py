"""The page that matches names: a dry run, started from there, with its progress."""

import pytest
from django.urls import reverse

from mappings.automatic import run_match
from mappings.models import CustomerMapping, MatchRun
from tests.mappings.conftest import NOW
from tests.mappings.mirror import company_row

HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(mapping):
    company_row(mapping.connection, 1, "Contoso")
    return reverse("mappings:customer_match", args=[mapping.connection.pk])


def test_the_page_shows_what_would_be_mapped_and_maps_nothing(url, cast, as_user):
    html = as_user(cast.operations).get(url).content.decode()
    assert "Map it" in html
    assert not CustomerMapping.objects.exists()


def test_it_is_started_once_and_its_progress_is_shown(url, cast, as_user):
    client = as_user(cast.operations)
    assert client.post(url, {"kind": "exact", "threshold": "100"}).status_code == 302
    assert client.post(url, {"kind": "exact", "threshold": "100"}).status_code == 302
    run = MatchRun.objects.get()
    assert (run.kind, run.started_by) == ("exact", cast.operations)
    fragment = client.get(url, headers=HTMX).content.decode()
    assert "every 1s" in fragment
    assert "<html" not in fragment
    run_match(run.pk, clock=lambda: run.started_at)
    assert "1 mapped" in client.get(url, headers=HTMX).content.decode()
    assert CustomerMapping.objects.get().created_at > NOW


@pytest.mark.parametrize("posted", [{"kind": "alike", "threshold": "20"}, {"kind": "all", "threshold": "90"}, {}])
def test_what_makes_no_sense_starts_nothing(url, cast, as_user, posted):
    assert as_user(cast.operations).post(url, posted).status_code == 422
    assert not MatchRun.objects.exists()


def test_readers_and_strangers_start_nothing(url, cast, as_user):
    posted = {"kind": "exact", "threshold": "100"}
    assert as_user(cast.reader).post(url, posted).status_code == 403
    assert as_user(cast.stranger).post(url, posted).status_code == 404
    assert not MatchRun.objects.exists()
