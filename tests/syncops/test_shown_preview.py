"""The preview of a new quantity goes with the person's wish to the operation, and is compared with the proof."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from connections import registry
from portal.actions.subscriptions import record_change, request_quantity
from portal.audit import Actor
from portal.models import SubscriptionRequest
from syncops.preview import opened
from tests.syncops.desk import operation_of


@pytest.fixture
def previewed(mapped, monkeypatch, time_machine, client):
    """The page that previews 12, as a person sees it."""
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **options: mapped.psa)
    time_machine.move_to(mapped.clock.now, tick=False)
    client.force_login(mapped.cast.operations)
    url = reverse("portal:subscription_quantity", args=[mapped.subscription.pk])
    page = client.get(url, {"quantity": 12}).content.decode()
    mapped.shown = re.search(r'name="shown" value="([^"]+)" form="change-quantity"', page)[1]
    mapped.post = lambda **fields: client.post(url, {"quantity": 12, "shown": mapped.shown} | fields)
    return mapped


def confirmed(desk, quantity=12):
    """Microsoft has done it: what follows for the contract line."""
    wish = SubscriptionRequest.objects.get()
    record_change(
        desk.subscription, kind="quantity_changed", effective_on=desk.today, source="portal",
        after={"quantity": quantity}, actor=Actor.user(wish.actor), at=desk.clock.now, correlation_id=wish.request_id,
    )  # fmt: skip
    desk.clock.wait(1)
    desk.drain()
    return operation_of(desk, "change_quantity")


def test_what_was_shown_is_compared_with_what_came_of_it(previewed, client):
    previewed.post()
    operation = confirmed(previewed)
    assert [one["unit_change"] for one in operation.preview["adjustments"]] == [2]
    assert "As previewed" in client.get(operation.get_absolute_url()).content.decode()


def test_what_others_did_since_shows_in_the_comparison(previewed, client):
    previewed.post()
    previewed.psa.edit(previewed.line, previewed.today + timedelta(days=2), 13)
    text = client.get(confirmed(previewed).get_absolute_url()).content.decode()
    assert "Compared with the preview" in text
    assert "Differs" in text


@pytest.mark.parametrize("shown", ["", "forged", "a:b:c", "\x00", "x" * 100_000])
def test_what_was_not_sealed_by_us_is_no_preview(previewed, shown):
    previewed.post(shown=shown)
    assert confirmed(previewed).preview == {}


def test_a_preview_of_another_quantity_or_line_is_none(previewed):
    mapping = previewed.subscription.mappings.get()
    assert opened(previewed.shown, mapping, 12) != {}
    assert opened(previewed.shown, mapping, 13) == {}
    mapping.pk += 1
    assert opened(previewed.shown, mapping, 12) == {}


def test_without_a_preview_the_change_goes_out_all_the_same(mapped):
    request_quantity(mapped.subscription, quantity=12, actor=mapped.cast.operations, now=mapped.clock.now)
    operation = confirmed(mapped)
    assert (operation.preview, operation.state) == ({}, "succeeded")
