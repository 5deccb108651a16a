"""Where an Autotask database lives. Its zone is looked up by the name of the API user, at an address without log-in."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from connections import http
from connections.psa.autotask.advice import USERS
from portal.far_side import Unauthorized, Unavailable

VENDOR_DOMAIN = ".autotask.net"
VERSION = "V1.0"


@dataclass(frozen=True, slots=True)
class Zone:
    """The addresses of one zone. `url` reaches to the API's version, no slash at its end; `web_url` may be empty."""

    url: str
    web_url: str = ""


def look_up(user_name: str, integration_code: str, *, key: str) -> Zone:
    """The zone of an API user.

    Autotask answers status 500 for a user or a tracking identifier that it does not know, and tells them apart by its
    text; both are Unauthorized. No answer, or one that makes no sense, is Unavailable.
    """
    headers = {"Content-Type": "application/json", "ApiIntegrationCode": integration_code}
    try:
        answer = http.send(key, "GET", settings.AUTOTASK_ZONE_URL, headers=headers, params={"user": user_name})
    except (http.NotSent, http.NoAnswer) as problem:
        raise Unavailable(
            f"Autotask's zone directory ({_host(settings.AUTOTASK_ZONE_URL)}) does not answer: {problem}.",
            advice="Check that this server reaches it through the firewall, then try again.",
            context={"cause": "zone_unreachable"},
        ) from problem
    if answer.status == 200:
        return _zone_in(answer.text)
    raise _refusal(answer, user_name)


def _refusal(answer: http.Answer, user_name: str) -> Unauthorized | Unavailable:
    text = answer.text[:2000]
    if answer.status in (401, 403) or "integrationcode" in text.lower().replace(" ", ""):
        return Unauthorized(
            "Autotask does not know the tracking identifier.",
            advice=f"In Autotask, open {USERS}, edit the API user, and copy the tracking identifier from its section "
            "API Tracking Identifier, all 27 characters.",
            raw=text,
            context={"cause": "tracking_identifier"},
        )
    if answer.status in (400, 404, 500) and text.lstrip().startswith("{"):
        return Unauthorized(
            f"Autotask does not know the API user {user_name}.",
            advice=f"In Autotask, open {USERS}, edit the API user, and copy its Username (Key): it looks like an "
            "e-mail address.",
            raw=text,
            context={"cause": "unknown_user"},
        )
    return Unavailable(
        f"Autotask's zone directory answers with status {answer.status}.",
        advice="Autotask may be under maintenance; try again in some minutes.",
        raw=text,
        context={"cause": "zone_unreachable"},
    )


def _zone_in(text: str) -> Zone:
    try:
        found = {str(name).lower(): value for name, value in json.loads(text).items()}
        return Zone(_api_address(str(found["url"])), str(found.get("weburl") or "").rstrip("/"))
    except (ValueError, KeyError, AttributeError) as error:
        raise Unavailable(
            "Autotask's zone directory gave an answer that cannot be used.",
            advice="Check AUTOTASK_ZONE_URL in the settings of this server.",
            raw=text[:2000],
            context={"cause": "zone_unreachable"},
        ) from error


def _api_address(url: str) -> str:
    """The API's address, with or without slash or version as Autotask gave it.

    Credentials go to this address, so where Autotask's own directory is asked, it must be one of Autotask's own hosts.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError(f"{url} is not an address.")
    vendors_own = parts.scheme == "https" and not parts.port and parts.hostname.endswith(VENDOR_DOMAIN)
    if _host(settings.AUTOTASK_ZONE_URL).endswith(VENDOR_DOMAIN) and not vendors_own:
        raise ValueError(f"{url} is not one of Autotask's addresses.")
    path = parts.path.rstrip("/")
    if path.lower().endswith(f"/{VERSION}".lower()):
        path = path[: -len(VERSION) - 1]
    return f"{parts.scheme}://{parts.netloc}{path}/{VERSION}"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
