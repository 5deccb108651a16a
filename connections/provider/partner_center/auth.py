"""Access tokens: the stored refresh token, or the application alone, redeemed at Microsoft's login service.

The refresh token rolls: every redemption brings a new one, which is stored at once. Entra leaves the old one valid for
a while, so two processes that redeem at the same moment both succeed; where a tenant ends the old one, the stored token
is read again before giving up. A refresh token dies after 90 days without use, when its user's password changes and
when it is revoked; the login service then answers 400 `invalid_grant`.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from connections.http import NoAnswer, NotSent, send
from connections.provider.partner_center.answers import json_of
from connections.provider.partner_center.credentials import Application, Keeper
from connections.provider.partner_center.login_errors import login_error
from portal.far_side import Unauthorized, Unavailable

PARTNER_CENTER = "https://api.partnercenter.microsoft.com"
GRAPH = "https://graph.microsoft.com"
CHINA = "https://partner.partnercenterapi.microsoftonline.cn"

MARGIN_S = 300.0
OTHER_PROCESS_S = 1.0


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when to stop using it, on the clock of its cache."""

    text: str
    usable_until: float


class Cache:
    """Access tokens of this process by (credentials, audience, with or without a user)."""

    def __init__(self) -> None:
        self.tokens: dict[tuple[str, str, bool], AccessToken] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def lock(self, key: str) -> threading.Lock:
        """Held while these credentials are redeemed, so that threads share one redemption."""
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())


SHARED = Cache()


class Tokens:
    """The access tokens of one set of credentials."""

    def __init__(
        self,
        keeper: Keeper,
        *,
        cache: Cache = SHARED,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._keeper, self._cache, self._clock, self._sleep = keeper, cache, clock, sleep

    def token(self, audience: str = "", *, app_only: bool = False, renew: bool = False) -> str:
        """A token for the audience (default: Partner Center), from the cache where one lasts a while longer.

        `renew` passes the cache by, which proves that the credentials still work.

        Raises Unauthorized where a person has to reconnect, Unavailable where the login service does not answer.
        """
        audience = audience or partner_center_audience()
        place = (self._keeper.key, audience, app_only)
        with self._cache.lock(self._keeper.key):
            kept = self._cache.tokens.get(place)
            if renew or kept is None or kept.usable_until <= self._clock():
                kept = self._cache.tokens[place] = self._fresh(audience, app_only=app_only)
            return kept.text

    def forget(self, text: str) -> None:
        """Drop a token that the service refused; the next call redeems anew."""
        with self._cache.lock(self._keeper.key):
            for place, kept in list(self._cache.tokens.items()):
                if kept.text == text:
                    del self._cache.tokens[place]

    def _fresh(self, audience: str, *, app_only: bool) -> AccessToken:
        application = self._keeper.read()
        try:
            return self._redeemed(application, audience, app_only=app_only)
        except Unauthorized as refusal:
            newer = None if app_only or refusal.context.get("error") != "invalid_grant" else self._newer(application)
            if newer is None:
                raise
            return self._redeemed(newer, audience, app_only=app_only)

    def _newer(self, used: Application) -> Application | None:
        """Credentials that another process has stored meanwhile; it may need a moment between redeeming and storing."""
        for wait in (0.0, OTHER_PROCESS_S):
            if wait:
                self._sleep(wait)
            now = self._keeper.read()
            if now.refresh_token != used.refresh_token:
                return now
        return None

    def _redeemed(self, application: Application, audience: str, *, app_only: bool) -> AccessToken:
        asked = self._clock()
        body = _asked(self._keeper.key, application, _grant(application, audience, app_only=app_only))
        life = float(body.get("expires_in") or 0)
        rolled = str(body.get("refresh_token") or "")
        if rolled and not app_only and rolled != application.refresh_token:
            self._keeper.roll(application.refresh_token, rolled)
        return AccessToken(str(body["access_token"]), asked + life - min(MARGIN_S, life / 10))


def partner_center_audience() -> str:
    """The audience of Partner Center. It is a name, not an address: the same wherever the service is reached."""
    return CHINA if settings.PARTNER_CENTER_URL == CHINA else PARTNER_CENTER


def _grant(application: Application, audience: str, *, app_only: bool) -> dict[str, str]:
    form = {"client_id": application.client_id, "client_secret": application.client_secret}
    if app_only:
        return form | {"grant_type": "client_credentials", "scope": f"{audience}/.default"}
    if not application.refresh_token:
        raise login_error(400, {"error": "invalid_grant", "error_description": "no refresh token is stored"})
    scope = f"{audience}/.default offline_access openid"
    return form | {"grant_type": "refresh_token", "refresh_token": application.refresh_token, "scope": scope}


def _asked(key: str, application: Application, form: Mapping[str, str]) -> dict[str, Any]:
    url = f"{settings.PARTNER_CENTER_LOGIN_URL}/{quote(application.tenant_id, safe='')}/oauth2/v2.0/token"
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = send(f"login {key}", "POST", url, headers=headers, data=urlencode(form).encode())
    except (NotSent, NoAnswer) as error:
        raise Unavailable(
            f"Microsoft's login service gave no answer: {error}.", "It is tried again by itself."
        ) from error
    body = json_of(answer.content)
    if not isinstance(body, dict) or (answer.status == 200 and not body.get("access_token")):
        raise Unavailable(
            f"Microsoft's login service gave an answer that cannot be read (HTTP {answer.status}).",
            "Check the setting PARTNER_CENTER_LOGIN_URL where this stays so.",
            retry_after=60.0,
        )
    if answer.status != 200:
        raise login_error(answer.status, body)
    return body
