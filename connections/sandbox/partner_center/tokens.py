"""The login service: access tokens for refresh tokens and for application secrets, in Entra's v1 and v2 forms.

Access tokens look like Entra's (three base64url parts; claims aud, tid, appid, amr, exp) and are signed with a key of
the ledger. Errors have Entra's own form: {"error", "error_description", "error_codes"}.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..http import Refused, Request, Response
from . import terms
from .errors import refused
from .ledger import Ledger

AUDIENCES = (
    "https://api.partnercenter.microsoft.com",
    "https://api.partner.microsoft.com",
    "https://graph.microsoft.com",
    "https://management.azure.com",
)
DEAD_AUDIENCE = "https://graph.windows.net"
REFRESH_LIFE = timedelta(days=90)
"""A refresh token that nobody redeems for so long is dead."""


class Login:
    """Issues and checks tokens of one partner tenant."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def load(self, credentials: Mapping[str, str]) -> None:
        """Make the application known: tenant_id, client_id, client_secret, refresh_token, user_principal_name."""
        self._ledger.store.set_setting("application", dict(credentials))
        self._ledger.store.set_setting("signing_key", secrets.token_hex(32))
        self._remember(credentials["refresh_token"])

    def token(self, request: Request, tenant: str, *, v2: bool) -> Response:
        """Answer a POST of the token endpoint."""
        form = request.form()
        application = self._application()
        self._check_application(tenant, form, application)
        audience = self._audience(form, v2=v2)
        match form.get("grant_type"):
            case "refresh_token":
                self._redeem(form.get("refresh_token", ""))
                return self._issue(audience, application, v2=v2, user=True)
            case "client_credentials":
                return self._issue(audience, application, v2=v2, user=False)
        raise _rejected(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")

    def check(self, request: Request) -> dict[str, Any]:
        """The claims of the request's bearer token; refused where there is none that is valid for Partner Center."""
        scheme, _, token = str(request.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refused(401, 800001)
        claims = self._claims(token.strip())
        if claims is None or claims["exp"] <= self._ledger.clock.now().timestamp():
            raise Refused(unauthorized())
        if claims["aud"] == DEAD_AUDIENCE:
            raise refused(401, 900420)
        if claims["aud"] not in AUDIENCES[:2] and not _is_here(claims["aud"]):
            raise refused(401, 400)
        if self._ledger.modes["require_mfa"] and not is_mfa_compliant(claims):
            raise refused(401, 900421)
        return claims

    def claims_of(self, request: Request) -> dict[str, Any] | None:
        """The claims of whatever token the request carries, None without a valid one."""
        return self._claims(str(request.headers.get("Authorization") or "").partition(" ")[2].strip())

    def revoke(self, what: str) -> None:
        """`refresh`: every refresh token ends; `access`: every access token does."""
        if what == "refresh":
            self._ledger.remove("refresh_token")
        elif what == "access":
            self._ledger.store.set_setting("signing_key", secrets.token_hex(32))
        else:
            raise ValueError("revoke is refresh or access")

    def _application(self) -> dict[str, str]:
        application: dict[str, str] = self._ledger.store.setting("application", {})
        return application

    def _check_application(self, tenant: str, form: Mapping[str, str], application: Mapping[str, str]) -> None:
        if tenant.lower() not in (application["tenant_id"], "organizations", "common"):
            raise _rejected(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("client_id", "").lower() != application["client_id"]:
            identifier = form.get("client_id", "")
            text = f"Application with identifier '{identifier}' was not found in the directory."
            raise _rejected(400, "unauthorized_client", 700016, text)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), application["client_secret"].encode()):
            raise _rejected(401, "invalid_client", 7000215, "Invalid client secret provided.")

    def _audience(self, form: Mapping[str, str], *, v2: bool) -> str:
        if v2:
            resources = [part.rpartition("/")[0] for part in form.get("scope", "").split() if "://" in part]
            audience = resources[0] if resources else ""
        else:
            audience = form.get("resource", "")
        audience = audience.rstrip("/")
        if audience not in (*AUDIENCES, DEAD_AUDIENCE) and not _is_here(audience):
            raise _rejected(400, "invalid_resource", 500011, f"The resource principal named {audience} was not found.")
        return audience

    def _redeem(self, token: str) -> None:
        found = self._ledger.get("refresh_token", _digest(token))
        if found is None:
            raise _rejected(400, "invalid_grant", 70000, "The provided grant is invalid or has been revoked.")
        if terms.moment_of(found["used"]) + REFRESH_LIFE <= self._ledger.clock.now():
            raise _rejected(400, "invalid_grant", 700082, "The refresh token has expired due to inactivity.")
        if self._ledger.modes["refresh_tokens"] == "revoke_old":
            self._ledger.remove("refresh_token", _digest(token))
        else:
            self._remember(token)

    def _issue(self, audience: str, application: Mapping[str, str], *, v2: bool, user: bool) -> Response:
        now = int(self._ledger.clock.now().timestamp())
        life = int(self._ledger.modes["access_token_lifetime"])
        access = self._signed(self._new_claims(audience, application, now=now, life=life, user=user))
        if v2:
            body: dict[str, Any] = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
        else:
            body = {
                "token_type": "Bearer",
                "expires_in": str(life),
                "ext_expires_in": str(life),
                "expires_on": str(now + life),
                "not_before": str(now - 300),
                "resource": audience,
            }
        body["access_token"] = access
        if user:
            refresh = f"0.AX{secrets.token_urlsafe(48)}"
            self._remember(refresh)
            scope = f"{audience}/user_impersonation" if v2 else "user_impersonation"
            body |= {"scope": scope, "refresh_token": refresh, "id_token": access}
        return Response(200, body, {"Cache-Control": "no-store"})

    def _new_claims(
        self, audience: str, application: Mapping[str, str], *, now: int, life: int, user: bool
    ) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{application['tenant_id']}/",
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "appid": application["client_id"],
            "tid": application["tenant_id"],
            "ver": "1.0",
        }
        if user:
            methods = ["pwd", "mfa"] if self._ledger.modes["amr_mfa"] else ["pwd"]
            name = application["user_principal_name"]
            return claims | {"amr": methods, "scp": "user_impersonation", "upn": name, "unique_name": name}
        return claims | {"idtyp": "app"}

    def _signed(self, claims: Mapping[str, Any]) -> str:
        head = _encoded({"typ": "JWT", "alg": "HS256"})
        body = _encoded(claims)
        return f"{head}.{body}.{self._signature(f'{head}.{body}')}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        body = signed.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return claims

    def _signature(self, text: str) -> str:
        key = str(self._ledger.store.setting("signing_key", ""))
        digest = hmac.digest(key.encode(), text.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _remember(self, refresh_token: str) -> None:
        used = {"used": terms.iso(self._ledger.clock.now())}
        self._ledger.put("refresh_token", _digest(refresh_token), used)


def is_app_only(claims: Mapping[str, Any]) -> bool:
    return claims.get("idtyp") == "app"


def is_mfa_compliant(claims: Mapping[str, Any]) -> bool:
    """Applications without a user are not asked for it."""
    return is_app_only(claims) or "mfa" in claims.get("amr", ())


def unauthorized() -> Response:
    """401 as for an expired or foreign token: no JSON, only the challenge."""
    challenge = 'Bearer error="invalid_token", error_description="The token is expired or invalid"'
    return Response(401, headers={"WWW-Authenticate": challenge})


def _is_here(audience: str) -> bool:
    """Some clients ask for a token for the address they call."""
    return audience.startswith(("http://127.0.0.1", "http://localhost"))


def _rejected(status: int, error: str, code: int, text: str) -> Refused:
    return Refused(
        Response(
            status,
            {"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [code]},
        )
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
