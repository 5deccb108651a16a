"""Which far sides there are, and the client of each connection."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.module_loading import import_string

from connections.budget import Clock, SharedBudget
from connections.models import Connection
from connections.psa.autotask.api import Api, Credentials
from connections.psa.autotask.client import AutotaskPsa
from connections.psa.autotask.zone import Zone
from connections.psa.base import Psa
from connections.psa.live_only import live_only
from connections.psa.types import ProbeResult
from connections.vault import CannotDecrypt
from portal.far_side import Unauthorized
from portal.models import Organization

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
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True where nothing is missing but what is optional."""
        return all(result.granted or result.optional for result in self.results)


def autotask(connection: Connection, *, bulk: bool, clock: Clock) -> Psa:
    """The client of an Autotask connection; a zone that was looked up is kept on the row."""

    def keep_zone(zone: Zone) -> None:
        connection.zone_url, connection.web_url = zone.url, zone.web_url
        Connection.objects.filter(pk=connection.pk).update(zone_url=zone.url, web_url=zone.web_url)

    zone = Zone(connection.zone_url, connection.web_url) if connection.zone_url else None
    secrets, worked_at = secrets_of(connection), connection.last_success_at
    budget = _budget(connection.organization_id, secrets, bulk=bulk, clock=clock)
    api = _autotask_api(connection.settings, secrets, connection.key, budget, zone, keep_zone, worked_at)
    return AutotaskPsa(api)


PSAS: dict[str, Callable[..., Psa]] = {Kind.AUTOTASK: autotask}


def psa_for(connection: Connection, *, bulk: bool = False, clock: Clock = timezone.now) -> Psa:
    """The PSA behind a connection. No request is made yet. Raises Unauthorized where its secrets cannot be read.

    `bulk`: nobody waits for what it is asked, so it stands back behind people and behind other integrations.
    `clock`: by which its budget counts. While the connection rehearses, its writes raise Rehearsing.
    """
    psa = PSAS[connection.kind](connection, bulk=bulk, clock=clock)
    live = Connection.objects.filter(pk=connection.pk, mode=Connection.Mode.LIVE)
    return live_only(psa, live.exists, connection)


def budget_of(connection: Connection, *, clock: Clock = timezone.now) -> SharedBudget:
    """The budget of a connection's credentials. Raises Unauthorized where its secrets cannot be read."""
    return _budget(connection.organization_id, secrets_of(connection), clock=clock)


def sharing(connection: Connection) -> list[Connection]:
    """The organization's other connections with the same tracking identifier: they share its budget."""
    rows = Connection.objects.autotask().exclude(pk=connection.pk).exclude(state=Connection.State.RETIRED)
    rows = rows.filter(organization_id=connection.organization_id)
    own = budget_of(connection)
    return [row for row in rows.select_related("organization").prefetch_related("secrets") if _shares(row, own)]


def _shares(connection: Connection, budget: SharedBudget) -> bool:
    try:
        return budget_of(connection).identity == budget.identity
    except Unauthorized:
        return False


def try_credentials(
    kind: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    key: uuid.UUID,
    *,
    organization: Organization,
) -> Trial:
    """Sign in and check every right, with nothing stored but the requests that were counted. `key`: that of the
    connection, there or to be made.

    Raises Unauthorized, Unavailable or Rejected, each in plain words.
    """
    tried = dict(secrets)
    if kind == Kind.AUTOTASK:
        budget = _budget(organization.pk, tried)
        psa = AutotaskPsa(_autotask_api(settings, tried, key, budget, None, lambda zone: None))
        results = psa.probe()
        zone = psa.api.zone
        facts = {"zone_url": zone.url, "web_url": zone.web_url, "currencies": list(psa.currencies())}
        return Trial(results, tried, facts)
    probe = import_string("connections.provider.partner_center.form.probe")
    return Trial(probe(settings, tried), tried)


def try_connection(connection: Connection) -> Trial:
    """Sign in with the stored credentials and check every right. Raises as `try_credentials` does."""
    if connection.kind in PSAS:
        psa = psa_for(connection)
        return Trial(psa.probe(), facts={"currencies": list(psa.currencies())})
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
    budget: SharedBudget,
    zone: Zone | None,
    keep_zone: Callable[[Zone], None],
    worked_at: datetime | None = None,
) -> Api:
    credentials = Credentials(
        user_name=str(settings.get("user_name", "")),
        secret=secrets.get("secret", ""),
        integration_code=secrets.get("integration_code", ""),
        impersonate_resource_id=settings.get("impersonate_resource_id"),
        worked_at=worked_at,
    )
    return Api(credentials, key=str(key), budget=budget, cache=cache, zone=zone, keep_zone=keep_zone)


def _budget(
    organization_id: int, secrets: Mapping[str, str], *, bulk: bool = False, clock: Clock = timezone.now
) -> SharedBudget:
    """Requests at once are counted per tracking identifier, and several connections may have the same. Organizations
    share none: a vendor's identifier opens many databases, and what one of them is asked is nobody else's business.
    """
    identity = hashlib.sha256(secrets.get("integration_code", "").encode()).hexdigest()
    return SharedBudget(organization_id, identity, bulk, clock)
