"""The credentials of a Partner Center connection, and where they are kept."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connections import vault
from connections.models import Connection, ConnectionSecret
from portal.far_side import Unauthorized

TENANT_ID, CLIENT_ID = "tenant_id", "client_id"
CLIENT_SECRET, REFRESH_TOKEN = "client_secret", "refresh_token"


@dataclass(frozen=True, slots=True)
class Application:
    """What the login service wants to know: the application in the partner's tenant, and the user's refresh token."""

    tenant_id: str
    client_id: str
    client_secret: str
    refresh_token: str


class Keeper(Protocol):
    """Where the credentials are kept. `key` names them in caches: another application has another key."""

    key: str

    def read(self) -> Application:
        """The credentials as they are now."""
        ...

    def roll(self, used: str, new: str) -> None:
        """Store `new` as the refresh token, unless somebody replaced `used` meanwhile."""
        ...


class StoredKeeper:
    """The credentials of a connection, its secrets encrypted at rest."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        public = connection.settings
        self.key = f"{connection.key} {public.get(TENANT_ID, '')} {public.get(CLIENT_ID, '')}"

    def read(self) -> Application:
        secrets = {secret.name: _revealed(secret) for secret in self._secrets()}
        public = self._connection.settings
        return Application(
            tenant_id=str(public.get(TENANT_ID, "")),
            client_id=str(public.get(CLIENT_ID, "")),
            client_secret=secrets.get(CLIENT_SECRET, ""),
            refresh_token=secrets.get(REFRESH_TOKEN, ""),
        )

    def roll(self, used: str, new: str) -> None:
        with transaction.atomic(durable=True):
            secret = self._secrets().select_for_update(of=("self",), no_key=True).filter(name=REFRESH_TOKEN).first()
            if secret is None or _revealed(secret) != used:
                return
            secret.ciphertext = vault.encrypt(new, bound_to=secret.binding(secret.connection, REFRESH_TOKEN))
            secret.hint, secret.set_at = new[-2:], timezone.now()
            secret.save(update_fields=["ciphertext", "hint", "set_at"])

    def _secrets(self) -> QuerySet[ConnectionSecret]:
        return ConnectionSecret.objects.filter(connection=self._connection).select_related("connection__organization")


class GivenKeeper:
    """Credentials that are not stored yet; the newest refresh token replaces the one in `secrets`.

    Their key is no name of their own, so their tokens belong in a cache of their own.
    """

    def __init__(self, public: Mapping[str, str], secrets: MutableMapping[str, str]) -> None:
        self._public, self._secrets = public, secrets
        self.key = "given"

    def read(self) -> Application:
        return Application(
            tenant_id=self._public.get(TENANT_ID, "").strip(),
            client_id=self._public.get(CLIENT_ID, "").strip(),
            client_secret=self._secrets.get(CLIENT_SECRET, "").strip(),
            refresh_token=self._secrets.get(REFRESH_TOKEN, "").strip(),
        )

    def roll(self, used: str, new: str) -> None:
        self._secrets[REFRESH_TOKEN] = new


def _revealed(secret: ConnectionSecret) -> str:
    try:
        return secret.reveal()
    except vault.CannotDecrypt as error:
        raise Unauthorized(
            "The stored credentials of the Partner Center connection cannot be read with the configured keys.",
            "Put the key back into PORTAL_FIELD_KEYS, or store the credentials anew.",
        ) from error
