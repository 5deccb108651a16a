"""Refusals of Microsoft's login service, {"error", "error_description", "error_codes"}, in plain words."""

from collections.abc import Mapping
from typing import Any

from connections.provider.partner_center.advice import LATER, RECONNECT
from portal.far_side import FarSideError, Unauthorized, Unavailable

_NEW_KEY = (
    "In Entra, under App registrations, Certificates & secrets, create a new secret for the application and store its "
    "value (not its id) in the connection."
)
_CHECK_APPLICATION = "Compare the tenant id and the application id with the application's overview page in Entra."
_CONSENT = (
    "In Entra, give the application the permission Microsoft Partner Center / user_impersonation and grant admin "
    "consent. Then store a new refresh token."
)
_TEMPORARY = frozenset({"temporarily_unavailable", "server_error", "slow_down"})

BY_CODE: dict[int, tuple[str, str]] = {
    50034: ("The user behind the connection does not exist any more.", RECONNECT),
    50057: ("The user behind the connection is disabled.", RECONNECT),
    50076: ("Microsoft wants multi-factor authentication for the user behind the connection.", RECONNECT),
    50079: ("Microsoft wants multi-factor authentication for the user behind the connection.", RECONNECT),
    50173: ("The password of the user behind the connection was changed: reconnect needed.", RECONNECT),
    53003: (
        "A Conditional Access policy of your tenant blocks the sign-in.",
        "Let the policy allow the user behind the connection from this server, then store a new refresh token.",
    ),
    65001: ("Nobody has consented that the application may use Partner Center.", _CONSENT),
    90002: ("Microsoft does not know this tenant.", _CHECK_APPLICATION),
    500011: ("The tenant does not know Partner Center as a resource of this application.", _CONSENT),
    700016: ("The application is not known in this tenant.", _CHECK_APPLICATION),
    700082: ("The refresh token was not used for 90 days and has expired: reconnect needed.", RECONNECT),
    7000215: ("The application's secret is wrong.", _NEW_KEY),
    7000222: ("The application's secret has expired.", _NEW_KEY),
}
"""Keyed by the number that Entra puts into `error_codes` and, as AADSTSnumber, into the description."""

BY_ERROR: dict[str, tuple[str, str]] = {
    "invalid_grant": ("Microsoft does not accept the stored sign-in any more: reconnect needed.", RECONNECT),
    "interaction_required": ("Microsoft wants the user behind the connection to sign in again.", RECONNECT),
    "invalid_client": ("Microsoft refuses the application's credentials.", _NEW_KEY),
    "unauthorized_client": ("The application may not sign in to this tenant.", _CHECK_APPLICATION),
    "invalid_request": ("Microsoft does not understand the sign-in.", _CHECK_APPLICATION),
    "invalid_resource": ("The application may not use Partner Center.", _CONSENT),
    "invalid_scope": ("The application may not use Partner Center.", _CONSENT),
}


def login_error(status: int, body: Mapping[str, Any]) -> FarSideError:
    """The error to raise. `context["error"]` is the name of the refusal."""
    name = str(body.get("error") or "")
    raw = f"HTTP {status}, {name}: {str(body.get('error_description') or '')[:400]}"
    context = {"status": str(status), "error": name}
    if status == 429 or status >= 500 or name in _TEMPORARY:
        return Unavailable("Microsoft's login service is busy.", LATER, raw, context, retry_after=60.0)
    default = ("Microsoft refuses the sign-in.", RECONNECT)
    message, advice = _by_code(body) or BY_ERROR.get(name, default)
    return Unauthorized(message, advice, raw, context)


def _by_code(body: Mapping[str, Any]) -> tuple[str, str] | None:
    codes = body.get("error_codes")
    for code in codes if isinstance(codes, list) else ():
        if code in BY_CODE:
            return BY_CODE[code]
    return None
