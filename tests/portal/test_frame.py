import json
import re

import pytest
from django.test import Client
from django.urls import path

from portal import context
from portal.permissions import public
from portal.urls import urlpatterns as real_urls

URL_NAMES = {"Customers", "Subscriptions", "Orders", "Audit logs", "Margins", "Members"}


@public(because="a test asks for it")
def broken(request):
    raise RuntimeError("on purpose")


urlpatterns = [path("broken/", broken), *real_urls]


def entries(page: str) -> set[str]:
    navigation = page[page.index('aria-label="Main"') : page.index("</nav>", page.index('aria-label="Main"'))]
    return {text.strip() for text in re.findall(r"</svg>([^<]+)", navigation)}


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("reader", {"Audit logs", "Members", "Connections"}),
        ("operations", {"Audit logs", "Members", "Connections"}),
        ("billing", {"Members", "Connections"}),
        ("admin", set()),
    ],
)
def test_the_navigation_offers_what_the_role_allows(cast, as_user, role, hidden):
    shown = entries(as_user(getattr(cast, role)).get("/customers/").content.decode())
    assert not shown & hidden
    assert shown >= URL_NAMES - hidden


def test_the_page_that_one_is_on_is_marked(cast, as_user):
    client = as_user(cast.reader)
    assert '<a href="/customers/" aria-current="page">' in client.get("/customers/").content.decode()
    assert '<a href="/" aria-current' not in client.get("/customers/").content.decode()


def test_a_count_stands_beside_its_entry_unless_it_is_zero(cast, as_user, monkeypatch):
    monkeypatch.setattr(
        context, "_counts", {"portal:order_list": lambda request: 7, "portal:margins": lambda request: 0}
    )
    page = as_user(cast.reader).get("/customers/").content.decode()
    assert page.count('<span class="count">') == 1
    assert '<span class="count">7<span class="hidden"> waiting</span></span>' in page


def test_a_fragment_never_asks_for_the_counts(cast, as_user, monkeypatch):
    asked = []
    monkeypatch.setattr(context, "_counts", {"portal:order_list": asked.append})
    as_user(cast.reader).get("/customers/", headers={"HX-Request": "true"})
    assert asked == []


def test_htmx_is_told_to_be_careful_and_to_show_refused_forms(cast, as_user):
    page = as_user(cast.reader).get("/customers/").content.decode()
    config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", page)[1])
    assert config["allowEval"] is config["allowScriptTags"] is config["includeIndicatorStyles"] is False
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0
    assert {"code": "422", "swap": True} in config["responseHandling"]


def test_a_page_that_is_not_there_leads_back(cast, as_user):
    response = as_user(cast.reader).get("/nothing/")
    assert response.status_code == 404
    assert "Go to the overview" in response.content.decode()


def test_a_stranger_at_a_page_that_is_not_there_sees_no_navigation(client, db):
    page = client.get("/nothing/").content.decode()
    assert "There is nothing here" in page
    assert "<nav aria-label" not in page


def test_a_refusal_names_the_permission_and_who_can_help(cast, as_user):
    response = as_user(cast.reader).get("/members/")
    assert response.status_code == 403
    assert "portal.members" in response.content.decode()
    assert "An administrator of your organization" in response.content.decode()


def test_a_form_without_its_token_is_refused_in_words(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.billing)
    response = client.post("/margins/settings/")
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()


@pytest.mark.urls("tests.portal.test_frame")
def test_an_error_of_ours_says_what_happens_next(client, db):
    client.raise_request_exception = False
    response = client.get("/broken/")
    assert response.status_code == 500
    assert "nothing is done twice" in response.content.decode()
    assert "on purpose" not in response.content.decode()


def test_an_address_that_is_not_ours_is_refused_in_words(client, db):
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "usual address" in response.content.decode()
