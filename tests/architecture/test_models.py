"""Rows are reached through the person who asks."""

import pytest
from django.apps import apps

from portal.permissions import ROLE_PERMISSIONS

OURS = ("portal", "connections", "mappings", "syncops")
MODELS = {model._meta.label: model for app in OURS for model in apps.get_app_config(app).get_models()}

WITHOUT_FOR_USER = {
    "portal.ImportRow": "reached through its import",
    "portal.AuditHead": "the chain's own end, never shown",
    "portal.MarginSettings": "one per organization, reached from it",
    "portal.Offer": "reached through its variants",
    "portal.OrderLine": "reached through its order",
    "portal.Promotion": "reached through variants and subscriptions",
    "portal.SubscriptionChange": "reached through its subscription",
    "portal.SubscriptionRequest": "reached through its subscription",
    "portal.VariantPrice": "reached through its variant",
    "connections.ConnectionSecret": "reached through its connection, by the clients alone",
    "connections.MirroredCompany": "reached through its connection",
    "connections.MirroredContract": "reached through its connection",
    "connections.MirroredLine": "reached through its connection",
    "connections.MirroredService": "reached through its connection",
    "connections.Pace": "counted by the clients alone",
    "connections.ProviderCustomer": "reached through its connection",
    "connections.Registration": "reached through its connection, or by its own key",
    "connections.RequestSlot": "reached through its budget",
    "syncops.JournalEntry": "reached through its run",
    "syncops.Lane": "what the writers of one contract queue at, never shown",
    "syncops.Run": "reached through its operation",
    "syncops.Stream": "what workers claim; people see its operations",
    "syncops.Write": "reached through its operation",
}


def has_for_user(model) -> bool:
    return hasattr(model._default_manager, "for_user")


@pytest.mark.parametrize("label", sorted(MODELS))
def test_every_model_is_narrowed_to_a_person_or_says_why_not(label):
    assert has_for_user(MODELS[label]) or label in WITHOUT_FOR_USER


def test_no_exception_is_kept_for_longer_than_it_is_needed():
    needless = {label for label in WITHOUT_FOR_USER if label not in MODELS or has_for_user(MODELS[label])}
    assert needless == set()


@pytest.mark.parametrize("label", sorted(label for label, model in MODELS.items() if has_for_user(model)))
def test_a_stranger_finds_nothing(cast, label):
    """Rows of the cast's first tenant, asked for by somebody of the other one."""
    from tests.cast import make_customer, make_subscription, make_variant

    make_subscription(make_customer(cast.csp), make_variant(cast.csp))
    found = MODELS[label]._default_manager.for_user(cast.stranger)
    assert not found.exclude(pk__in=[cast.other_csp.pk] if label == "portal.Organization" else []).exclude(
        pk__in=[cast.stranger.pk] if label == "portal.User" else []
    )


@pytest.mark.parametrize("label", sorted(MODELS))
def test_what_a_row_is_is_said(label):
    words = MODELS[label].__doc__ or ""
    assert not words.startswith(f"{MODELS[label].__name__}(")
    assert words.strip()


def test_every_role_may_at_least_read():
    assert all("portal.read" in permissions for permissions in ROLE_PERMISSIONS.values())
