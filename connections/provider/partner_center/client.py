"""Partner Center over HTTP: one call, one outcome. Everything that goes wrong is an error of `portal.far_side`.

Reads are repeated a few times where the trouble is passing. A write is sent once per call: after `OutcomeUnknown` or
`Unavailable` the caller repeats it with the same request id, which Partner Center takes for the same write
(header MS-RequestId). Every call carries a correlation id, by which Microsoft's support finds it.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID, uuid4

from django.conf import settings

from connections.http import Answer, NoAnswer, NotSent, send
from connections.provider.partner_center.advice import LATER
from connections.provider.partner_center.answers import UNREADABLE, json_of
from connections.provider.partner_center.auth import PARTNER_CENTER, Tokens
from connections.provider.partner_center.failures import failure, retry_after
from connections.provider.partner_center.pacing import NoPace, Pace
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unavailable

READ_PAUSES_S = (0.5, 1.5)
PATIENCE_S = 5.0
"""The longest pause that the service may ask of a read within one call; beyond it the caller tries later."""
BLOCKED_S = 30.0
"""How long all processes pause after a throttle that names no pause."""
SALES = "https://api.partner.microsoft.com"
APPLICATION = "CSP Portal"
CONTINUATION = "MS-ContinuationToken"
SAME_AGAIN = frozenset({"900420", "900421"})
"""Codes of a 401 that another token of the same kind would meet again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One logical request: its path in parts below /v1 (or another `root`), its ids, its body where it writes."""

    method: str
    path: tuple[str, ...]
    request_id: UUID
    correlation_id: UUID
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    root: str = "v1"
    audience: str = ""

    @property
    def writing(self) -> bool:
        return self.method != "GET"

    def url(self) -> str:
        return "/".join([_base(self.audience), self.root, *(quote(part, safe="$()',=") for part in self.path)])

    def complete_headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "MS-Contract-Version": "v1",
            "MS-PartnerCenter-Application": APPLICATION,
            "MS-RequestId": str(self.request_id),
            "MS-CorrelationId": str(self.correlation_id),
            "X-Locale": "en-US",
            **(self.headers or {}),
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: status, JSON body (None where empty), headers, and the path that its Location names."""

    status: int
    body: Any
    headers: Mapping[str, str]
    location: tuple[str, ...] = ()


class PartnerCenter:
    """Partner Center, reached with one set of credentials; `key` names them among this process's sessions."""

    def __init__(
        self, tokens: Tokens, *, key: str, sleep: Callable[[float], None] = time.sleep, pace: Pace | None = None
    ) -> None:
        """`pace`: asked before each request, so that all processes together keep to the rate of the tenant."""
        self._tokens, self._key, self.sleep, self._pace = tokens, key, sleep, pace or NoPace()
        self.as_of: datetime | None = None  # the far side's clock at its latest answer

    def sign_in(self) -> None:
        """Sign in anew. Raises Unauthorized where a person has to reconnect, Unavailable where nothing answers."""
        self._tokens.token(renew=True)

    def get(
        self,
        *path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_id: UUID | None = None,
    ) -> Any:
        """The JSON body of one resource."""
        return self.read(*path, params=params, headers=headers, correlation_id=correlation_id).body

    def read(
        self,
        *path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        correlation_id: UUID | None = None,
        root: str = "v1",
    ) -> Reply:
        """Read one resource; passing trouble is tried again, at most twice and within a worker's time."""
        call = Call("GET", path, uuid4(), correlation_id or uuid4(), params, headers, root=root)
        give_up = time.monotonic() + settings.EXECUTOR["drain_budget_s"]
        for pause in READ_PAUSES_S:
            try:
                return self._exchanged(call)
            except Unavailable as error:
                pause = _pause(error, pause)
                if pause > PATIENCE_S or time.monotonic() + pause > give_up:
                    raise
                self.sleep(pause)
        return self._exchanged(call)

    def pages(self, *path: str, params: Mapping[str, str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """The items of a collection, page by page."""
        for items, _ in self.paged(*path, params=params):
            if items:
                yield items

    def paged(
        self, *path: str, params: Mapping[str, str] | None = None, token: str = ""
    ) -> Iterator[tuple[list[dict[str, Any]], str]]:
        """The pages of a collection from `token` on, each with the token of the next one, "" behind the last.

        The token travels in a header, never in the address, which would garble it. The end is told in two ways, and
        both are taken: no further token, or 400 with code 2000.
        """
        query, used = dict(params or {}), set[str]()
        while True:
            if token:
                query["seekOperation"] = "Next"
            try:
                body = self.get(*path, params=query, headers={CONTINUATION: token} if token else None)
            except Rejected as error:
                if token and code_of(error) == "400 2000":
                    yield [], ""
                    return
                raise
            items = items_of(body)
            used.add(token)
            following = _next_token(body)
            token = following if items and following not in used else ""
            yield items, token
            if not token:
                return

    def download(self, *path: str) -> bytes:
        """A file of the sales service, such as a price sheet: another host than the rest, and a token of its own."""
        call = Call("GET", path, uuid4(), uuid4(), {"timeline": "current"}, root="v1.0/sales", audience=SALES)
        answer = self._answered(call)
        if answer.status != 200:
            _reply(answer, call)
        return answer.content

    def write(
        self,
        method: str,
        *path: str,
        body: Any,
        request_id: UUID,
        correlation_id: UUID | None = None,
        etag: str = "",
        root: str = "v1",
    ) -> Reply:
        """Send a write once. Raises OutcomeUnknown where it may have happened: repeat it with the same request id."""
        headers = {"Content-Type": "application/json"}
        if etag:
            headers["If-Match"] = f'"{etag}"'
        content = json.dumps(body, default=_plain).encode()
        call = Call(method, path, request_id, correlation_id or uuid4(), headers=headers, body=content, root=root)
        return self._exchanged(call)

    def _exchanged(self, call: Call) -> Reply:
        """One exchange. A refused token is replaced once, under the same request id: a refused sign-in did nothing."""
        return _reply(self._answered(call), call)

    def _answered(self, call: Call) -> Answer:
        asked = (call.audience,) if call.audience else ()
        token = self._tokens.token(*asked)
        answer = self._sent(call, token)
        if answer.status == 401 and _code(answer) not in SAME_AGAIN:
            self._tokens.forget(token)
            answer = self._sent(call, self._tokens.token(*asked))
        self.as_of = _clock_of(answer) or self.as_of
        if answer.status == 429:
            self._pace.block(retry_after(answer, answer.text) or BLOCKED_S)
        return answer

    def _sent(self, call: Call, token: str) -> Answer:
        self._pace.take()
        try:
            return send(
                self._key,
                call.method,
                call.url(),
                headers=call.complete_headers(token),
                params=call.params,
                data=call.body,
            )
        except NotSent as error:
            raise _silence(replace(call, method="GET"), f"Partner Center did not get the request: {error}.") from error
        except NoAnswer as error:
            raise _silence(call, f"Partner Center gave no answer: {error}.") from error


def code_of(error: FarSideError) -> str:
    """Status and code of a refusal, like "404 20000"; "" where no answer came."""
    return " ".join(error.context[name] for name in ("status", "code") if error.context.get(name))


def items_of(body: Any) -> list[dict[str, Any]]:
    """The items of a collection; a few resources are bare lists."""
    found = body.get("items") if isinstance(body, dict) else body
    return list(found or ())


def _pause(error: Unavailable, usual: float) -> float:
    """How long to wait before the next attempt, in seconds: what a throttle asks, at least the usual, with jitter."""
    asked = (error.retry_after or 0.0) if error.context.get("status") == "429" else 0.0
    return max(usual, asked) + secrets.randbelow(250) / 1000


def _silence(call: Call, message: str) -> FarSideError:
    """What it means that no readable answer came: a read is tried later, a write has an unknown outcome."""
    context = {"correlation_id": str(call.correlation_id)}
    if call.writing:
        return OutcomeUnknown(message, "It is checked by itself what became of it.", "", context)
    return Unavailable(message, LATER, "", context)


def _reply(answer: Answer, call: Call) -> Reply:
    body = json_of(answer.content)
    refused_at_200 = isinstance(body, dict) and str(body.get("code")) == "400072"
    if not 200 <= answer.status < 300 or refused_at_200:
        raise failure(answer, body, correlation_id=str(call.correlation_id), writing=call.writing)
    if body is UNREADABLE:
        raise _silence(call, f"Partner Center's answer cannot be read (HTTP {answer.status}).")
    return Reply(answer.status, body, answer.headers, _path_in(answer.headers.get("Location", "")))


def _base(audience: str) -> str:
    """Where the service of an audience is: all of them in one place where Partner Center is not Microsoft's own."""
    is_microsofts = settings.PARTNER_CENTER_URL == PARTNER_CENTER
    return audience if audience and is_microsofts else str(settings.PARTNER_CENTER_URL)


def _clock_of(answer: Answer) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, TypeError):
        return None


def _path_in(location: str) -> tuple[str, ...]:
    """The parts of the path that a Location header names, below /v1; its host is never used."""
    parts = tuple(unquote(part) for part in urlsplit(location).path.split("/") if part)
    return parts[1:] if parts and parts[0].lower() == "v1" else parts


def _next_token(body: Any) -> str:
    """The token of the next page: among the headers of links.next, else beside the items; "" at the end."""
    if not isinstance(body, dict):
        return ""
    following = (body.get("links") or {}).get("next") or {}
    for header in following.get("headers") or ():
        if str(header.get("key", "")).lower() == CONTINUATION.lower():
            return str(header.get("value") or "")
    return str(body.get("continuationToken") or "")


def _code(answer: Answer) -> str:
    body = json_of(answer.content)
    return str(body.get("code", "")) if isinstance(body, dict) else ""


def _plain(value: Any) -> int | float:
    """Decimal as a JSON number; whole ones without a point."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
