"""Connecting a Partner Center tenant: what a person enters, and the test of it."""

import re
from collections.abc import Mapping, MutableMapping

from django import forms
from django.core.exceptions import ValidationError

from connections.provider.partner_center.advice import MEANINGS
from connections.provider.partner_center.auth import Cache, Tokens
from connections.provider.partner_center.client import PartnerCenter, items_of
from connections.provider.partner_center.credentials import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    TENANT_ID,
    GivenKeeper,
)
from connections.provider.partner_center.shapes import Customer, shaped
from connections.psa.types import ProbeResult
from portal.far_side import Rejected

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)

SIGN_IN = "Sign in to Microsoft"
MFA = "Signed in with multi-factor authentication"
CUSTOMERS = "Read customers"
SUBSCRIPTIONS = "Read subscriptions"
ORDERS = "Read orders"
PRODUCTS = "Read the catalogue"

OF_A_CUSTOMER: tuple[tuple[str, str, Mapping[str, str] | None], ...] = (
    (SUBSCRIPTIONS, "subscriptions", None),
    (ORDERS, "orders", None),
    (PRODUCTS, "products", {"targetView": "OnlineServices"}),
)
NEEDS = (CUSTOMERS, SUBSCRIPTIONS, ORDERS, PRODUCTS)


class PartnerCenterForm(forms.Form):
    """The credentials of the application in the partner's tenant; the secrets are never shown again."""

    tenant_id = forms.CharField(
        label="Partner tenant id",
        max_length=100,
        help_text="In Partner Center: Account settings, Organization profile, Microsoft tenant id.",
    )
    client_id = forms.CharField(
        label="Application id",
        max_length=36,
        help_text="In Entra: App registrations, your application, Application (client) id.",
    )
    client_secret = forms.CharField(
        label="Application secret",
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The secret's value, not its id: Certificates & secrets of the same application.",
    )
    refresh_token = forms.CharField(
        label="Refresh token",
        max_length=8000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="From a sign-in with multi-factor authentication, as a user of the Admin agents group.",
    )

    def clean_tenant_id(self) -> str:
        value = str(self.cleaned_data["tenant_id"]).strip()
        if not _GUID.fullmatch(value) and not _DOMAIN.fullmatch(value):
            raise ValidationError("Enter the tenant's id (a GUID) or one of its domains.")
        return value.lower()

    def clean_client_id(self) -> str:
        value = str(self.cleaned_data["client_id"]).strip()
        if not _GUID.fullmatch(value):
            raise ValidationError("Enter the application's id: a GUID like 12345678-1234-1234-1234-123456789abc.")
        return value.lower()

    def public_settings(self) -> dict[str, str]:
        """What may be stored in the clear."""
        return {name: str(self.cleaned_data[name]) for name in (TENANT_ID, CLIENT_ID)}

    def secrets(self) -> dict[str, str]:
        return {name: str(self.cleaned_data[name]) for name in (CLIENT_SECRET, REFRESH_TOKEN)}


def probe(settings: Mapping[str, str], secrets: MutableMapping[str, str]) -> list[ProbeResult]:
    """Try credentials that are not stored yet, without changing anything at Microsoft.

    The sign-in brings a newer refresh token: it takes the old one's place in `secrets`, which is what to store.
    Raises Unauthorized or Unavailable in plain words; a right that is missing is a result with advice.
    """
    return probe_client(PartnerCenter(Tokens(GivenKeeper(settings, secrets), cache=Cache()), key="given"))


def probe_client(client: PartnerCenter) -> list[ProbeResult]:
    """As `probe`, with the credentials that the client has."""
    client.sign_in()
    results = [ProbeResult(SIGN_IN, True)]
    try:
        reply = client.read("customers", params={"size": "1"}, headers={"ValidateMfa": "true"})
        results += [_mfa(reply.headers), ProbeResult(CUSTOMERS, True)]
        for item in items_of(reply.body)[:1]:
            customer = shaped(Customer, item)
            for need, path, params in OF_A_CUSTOMER:
                client.get("customers", customer.id, path, params=params)
                results.append(ProbeResult(need, True))
    except Rejected as error:
        done = {result.need for result in results}
        need = next(name for name in NEEDS if name not in done)
        results.append(ProbeResult(need, False, str(error)))
    return results


def _mfa(headers: Mapping[str, str]) -> ProbeResult:
    """Asked with ValidateMfa: true, Microsoft tells in isMfaCompliant whether it would let the token pass."""
    granted = headers.get("isMfaCompliant", "true").lower() != "false"
    advice = "" if granted else MEANINGS[401, "900421"].advice
    return ProbeResult(MFA, granted, advice)
