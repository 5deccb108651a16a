"""Which far sides there are, and the client of each connection."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.utils.module_loading import import_string

from connections.budget import budget_for
from connections.models import Connection
from connections.psa.autotask.api import Api, Credentials
from connections.psa.autotask.client import AutotaskPsa
from connections.psa.autotask.zone import Zone
from connections.psa.base import Psa
from connections.psa.types import ProbeResult
from connections.vault import CannotDecrypt
from portal.far_side import Unauthorized

Kind = Connection.Kind
CREDENTIALS_FORMS = {
    Kind.AUTOTASK: "connections.psa.autotask.form.AutotaskForm",
    Kind.PARTNER_CENTER: "connections.provider.partner_center.form.PartnerCenterForm",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying some credentials found.

    `secrets` are those to store: a far side may have replaced one of them while it was tried. `facts` are fields of the
    connection that were learned on the way.
    """

    results: Sequence[ProbeResult]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return all(result.granted for result in self.results)


def autotask(connection: Connection) -> Psa:
    """The client of an Autotask connection; a zone that was looked up is kept on the row."""

    def keep_zone(zone: Zone) -> None:
        connection.zone_url, connection.web_url = zone.url, zone.web_url
        Connection.objects.filter(pk=connection.pk).update(zone_url=zone.url, web_url=zone.web_url)

    zone = Zone(connection.zone_url, connection.web_url) if connection.zone_url else None
    return AutotaskPsa(_autotask_api(connection.settings, secrets_of(connection), connection.key, zone, keep_zone))


PSAS: dict[str, Callable[[Connection], Psa]] = {Kind.AUTOTASK: autotask}


def psa_for(connection: Connection) -> Psa:
    """The PSA behind a connection. No request is made yet. Raises Unauthorized where its secrets cannot be read."""
    return PSAS[connection.kind](connection)


def try_credentials(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str], key: uuid.UUID) -> Trial:
    """Sign in and check every right, with nothing stored. `key`: that of the connection, there or to be made.

    Raises Unauthorized, Unavailable or Rejected, each in plain words.
    """
    tried = dict(secrets)
    if kind == Kind.AUTOTASK:
        psa = AutotaskPsa(_autotask_api(settings, tried, key, None, lambda zone: None))
        results = psa.probe()
        return Trial(results, tried, {"zone_url": psa.api.zone.url, "web_url": psa.api.zone.web_url})
    probe = import_string("connections.provider.partner_center.form.probe")
    return Trial(probe(settings, tried), tried)


def try_connection(connection: Connection) -> Trial:
    """Sign in with the stored credentials and check every right. Raises as `try_credentials` does."""
    if connection.kind in PSAS:
        return Trial(psa_for(connection).probe())
    client = import_string("connections.provider.partner_center.provider.client_for")(connection)
    return Trial(import_string("connections.provider.partner_center.form.probe_client")(client))


def credentials_form(kind: str) -> Any:
    """The form class for the credentials of a kind: a Django form with `public_settings()` and `secrets()`."""
    return import_string(CREDENTIALS_FORMS[Kind(kind)])


def secrets_of(connection: Connection) -> dict[str, str]:
    """The connection's secrets in clear text, by name. Raises Unauthorized where the keys do not open them."""
    try:
        return {secret.name: secret.reveal() for secret in connection.secrets.all()}
    except CannotDecrypt as error:
        raise Unauthorized(
            "The stored secrets of this connection cannot be opened with the keys of this server.",
            advice="Set the secrets again, or give the server the keys that they were stored with (PORTAL_FIELD_KEYS).",
            context={"cause": "field_keys"},
        ) from error


def _autotask_api(
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    key: uuid.UUID,
    zone: Zone | None,
    keep_zone: Callable[[Zone], None],
) -> Api:
    credentials = Credentials(
        user_name=str(settings.get("user_name", "")),
        secret=secrets.get("secret", ""),
        integration_code=secrets.get("integration_code", ""),
        impersonate_resource_id=settings.get("impersonate_resource_id"),
    )
    # The limit counts per tracking identifier, and the same credentials may appear in several connections.
    identity = hashlib.sha256(credentials.integration_code.encode()).hexdigest()
    return Api(credentials, key=str(key), budget=budget_for(identity), cache=cache, zone=zone, keep_zone=keep_zone)
