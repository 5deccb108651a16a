"""The page that changes how many there are."""

from decimal import Decimal

import pytest
from django.urls import reverse

from portal.actions.subscription_requests import run_request
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized
from portal.models import Subscription, SubscriptionRequest
from portal.panels import Panel, _panels
from tests.cast import make_customer, make_subscription, make_variant

HTMX = {"HX-Request": "true"}


@pytest.fixture
def subscription(cast, provider) -> Subscription:
    provider.set("ms-1", 10)
    variant = make_variant(cast.csp, maximum_quantity=300)
    return make_subscription(make_customer(cast.csp), variant, external_id="ms-1")


@pytest.fixture
def page(subscription) -> str:
    return reverse("portal:subscription_quantity", args=[subscription.pk])


def run(now=None) -> SubscriptionRequest:
    request = SubscriptionRequest.objects.latest("pk")
    run_request(request.pk, now or request.due_at)
    request.refresh_from_db()
    return request


def test_a_preview_shows_what_the_new_number_costs(cast, as_user, page):
    preview = as_user(cast.billing).get(page, {"quantity": "12"}).context["preview"]
    assert (preview.before, preview.after, preview.difference) == (Decimal("50"), Decimal("60"), Decimal("10"))


def test_htmx_gets_the_preview_alone_and_the_same_by_address_is_a_page(cast, as_user, page):
    client = as_user(cast.billing)
    fragment = client.get(page, {"quantity": "12"}, headers=HTMX).content.decode()
    assert "+10.00\xa0EUR" in fragment
    assert "<html" not in fragment
    assert "+10.00\xa0EUR" in client.get(page, {"quantity": "12"}).content.decode()


def test_higher_apps_show_their_side_of_the_preview(cast, as_user, page, monkeypatch, settings, tmp_path):
    (tmp_path / "side.html").write_text("Autotask: {{ wanted }}")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    source = lambda request, row: Panel("side.html", {"wanted": row.wanted["quantity"]})  # noqa: E731
    monkeypatch.setitem(_panels, "quantity_preview", [source])
    assert "Autotask: 12" in as_user(cast.billing).get(page, {"quantity": "12"}).content.decode()


def test_two_clicks_make_one_request(cast, as_user, page):
    client = as_user(cast.operations)
    assert [client.post(page, {"quantity": "12"}).url for _ in range(2)] == [page, page]
    assert SubscriptionRequest.objects.get().wanted == {"quantity": 12}


@pytest.mark.parametrize("typed", ["0", "301", "10", "many", ""])
def test_a_number_that_cannot_be_had_is_422_with_what_was_typed(cast, as_user, page, typed):
    answer = as_user(cast.operations).post(page, {"quantity": typed})
    assert answer.status_code == 422
    assert answer.context["form"]["quantity"].value() == typed
    assert answer.context["form"].errors["quantity"]
    assert not SubscriptionRequest.objects.exists()


def test_the_page_follows_the_change_and_says_when_it_is_done(cast, as_user, page, subscription):
    client = as_user(cast.operations)
    client.post(page, {"quantity": "12"})
    state = reverse("portal:quantity_state", args=[subscription.pk])
    answer = client.get(page)
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert client.get(state, {"seen": answer.context["look"]}, headers=HTMX).status_code == 204
    run()
    assert client.get(state, {"seen": answer.context["look"]}, headers=HTMX).headers["HX-Redirect"] == page
    assert "Microsoft has 12" in client.get(page).content.decode()


def test_a_refusal_is_explained(cast, as_user, page, provider):
    client = as_user(cast.operations)
    client.post(page, {"quantity": "8"})
    provider.fail_next("change_quantity", Rejected("Subscription quantity cannot be decreased."))
    run()
    answer = client.get(page).content.decode()
    assert "was refused" in answer
    assert "within 7 days" in answer


def test_a_stopped_change_goes_on_when_a_person_asks(cast, as_user, page, subscription, provider):
    client = as_user(cast.operations)
    client.post(page, {"quantity": "12"})
    provider.fail_next("change_quantity", OutcomeUnknown("Lost."))
    provider.fail_next("subscription", Unauthorized("Refused.", "Reconnect."))
    assert run().is_stalled
    assert "needs you" in client.get(page).content.decode()
    client.post(reverse("portal:quantity_resume", args=[subscription.pk]))
    assert run().state == "succeeded"


def test_what_cannot_be_changed_says_why_instead_of_offering_a_form(cast, as_user, page):
    Subscription.objects.update(status="suspended")
    answer = as_user(cast.operations).get(page).content.decode()
    assert "Only active ones can be changed." in answer
    assert 'name="quantity"' not in answer


def test_subscriptions_of_another_tenant_are_not_there(cast, as_user, page, subscription):
    client = as_user(cast.stranger)
    assert client.get(page).status_code == 404
    assert client.post(page, {"quantity": "12"}).status_code == 404
    assert client.post(reverse("portal:quantity_resume", args=[subscription.pk])).status_code == 404
    assert as_user(cast.reader).get(page).status_code == 403
