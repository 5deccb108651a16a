"""New margins are previewed before they are saved: whose price changes, what is sent, and what stays of it."""

from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from connections import registry
from portal.models import AuditEntry, MarginRule
from syncops import tasks
from syncops.evidence import comparison_of
from syncops.models import MarginPreview, SyncOperation
from tests.cast import make_customer, make_subscription
from tests.queries import questions


@pytest.fixture
def client(mapped, cast, as_user, monkeypatch):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: mapped.psa)
    for name in ("syncops.panels.timezone.now", "portal.views.margin_preview.timezone.now"):
        monkeypatch.setattr(name, lambda: mapped.clock.now)
    monkeypatch.setattr("portal.views.margin_preview.timezone.localdate", lambda **zone: mapped.today)
    return as_user(cast.admin)


def asked(client, **fields) -> str:
    """The address of the preview that a rule leads to."""
    values = {"audience": "customers", "kind": "markup", "percent": "50", "category": "", "customer": ""}
    return client.post(reverse("portal:margin_create"), values | fields).url


def confirm(client, url: str):
    html = client.get(url).content.decode()
    seen = html.split('name="seen" value="')[1].split('"')[0]
    return client.post(
        reverse("portal:margin_preview"), {"draft": parse_qs(urlsplit(url).query)["draft"][0], "seen": seen}
    )


def test_the_new_price_is_shown_with_what_it_sends_and_bills(client, mapped):
    html = client.get(asked(client)).content.decode()
    assert not MarginRule.objects.exists()
    assert "1 subscription would cost something else" in html
    assert "5.00\xa0EUR" in html
    assert "6.00\xa0EUR" in html  # 4.00 and 50 %
    assert "+10.00\xa0EUR" in html  # 10 units in a month
    assert "from 10\xa0May\xa02026" in html
    assert mapped.psa.applied == []


def test_what_was_shown_goes_with_the_operation_and_agrees_with_the_proof(client, mapped):
    url = asked(client)
    confirm(client, url)
    tasks.margins.fan_out(tasks.MarginUpdate.objects.get().pk, mapped.clock.now)
    mapped.drain()
    operation = SyncOperation.objects.get(kind="change_margins")
    assert operation.preview["adjustments"][0]["price"] == "6.00"
    assert comparison_of(operation).agrees
    assert confirm(client, url).status_code == 302  # a second click
    assert MarginRule.objects.count() == 1
    assert AuditEntry.objects.filter(name="Create Margin Rule").count() == 1


def test_a_margin_of_its_own_shows_the_posted_days_as_a_shortfall(client, mapped):
    mapped.psa.post_through(100, date(2026, 5, 31))
    create = reverse("portal:margin_create") + f"?subscription={mapped.subscription.pk}"
    url = client.post(create, {"kind": "markup", "percent": "50"}).url
    html = client.get(url).content.decode()
    assert "from 1\xa0Jun\xa02026" in html
    assert "7.10\xa0EUR" in html  # 10 x 1.00 for 22 of 31 days
    confirm(client, url)
    mapped.drain()
    operation = SyncOperation.objects.get(kind="change_price")
    assert Decimal(operation.preview["shortfalls"][0]["amount"]) == Decimal("7.10")
    assert comparison_of(operation).agrees


def test_what_changes_nothing_of_what_is_billed_is_saved_at_once(client):
    assert asked(client, percent="25") == reverse("portal:margins")  # 4.00 and 25 % are 5.00
    assert MarginRule.objects.count() == 1


def test_figures_that_changed_meanwhile_are_shown_again(client, mapped):
    url = asked(client)
    draft = parse_qs(urlsplit(url).query)["draft"][0]
    answer = client.post(reverse("portal:margin_preview"), {"draft": draft, "seen": "of yesterday"})
    assert (answer.status_code, MarginRule.objects.count()) == (422, 0)


def test_nobody_forges_a_draft_or_takes_one_of_another_organization(client, cast, as_user):
    url = asked(client)
    assert as_user(cast.stranger).get(url).status_code == 404
    assert client.get(url + "x").status_code == 404
    assert client.get(reverse("portal:margin_preview")).status_code == 404


def test_a_far_side_that_is_away_is_said_and_hides_no_price(client, mapped):
    mapped.psa.fail_next("unit_rows", "unavailable")
    html = client.get(asked(client)).content.decode()
    assert "cannot be read now" in html
    assert "6.00\xa0EUR" in html
    assert not MarginPreview.objects.exists()


def test_200_subscriptions_cost_no_more_queries_than_20_and_are_paged(client, mapped, cast):
    variant, customer = mapped.subscription.variant, make_customer(cast.csp, "Tailspin")
    make_ten = lambda: [make_subscription(customer, variant) for _ in range(10)]  # noqa: E731
    make_ten()
    url = asked(client)
    client.get(url)
    few = questions(client, url)
    for _ in range(19):
        make_ten()
    assert len(questions(client, url)) == len(few)
    assert "201 subscriptions would cost something else" in client.get(url).content.decode()
    assert len([verb for verb, _ in mapped.psa.calls if verb == "unit_rows"]) <= 6
