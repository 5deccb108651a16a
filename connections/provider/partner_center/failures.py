"""From a refused request to the error to raise."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connections.http import Answer
from connections.provider.partner_center.advice import MEANINGS, MINUTE, STALE, Meaning, later, rejected, unauthorized
from portal.far_side import FarSideError, OutcomeUnknown, Unavailable

_BY_STATUS: dict[int, Meaning] = {
    401: unauthorized("Partner Center refuses the credentials of the connection."),
    409: later("Partner Center is busy with this resource.", 3 * MINUTE),
    412: STALE,
    429: later("Partner Center asks for fewer requests.", MINUTE),
    503: later("Partner Center is not available at the moment.", MINUTE),
}


def failure(answer: Answer, body: Any, *, correlation_id: str, writing: bool) -> FarSideError:
    """The error for this answer.

    `body` is what its JSON says: {code, description, data, source}, for throttling {statusCode, message}, or anything
    else (a gateway's HTML, nothing at all). The error's `context` holds status, code and the correlation id.
    """
    said: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = str(said.get("code") or "")
    text = str(said.get("description") or said.get("message") or "")[:1024]
    found = MEANINGS.get((answer.status, code)) or _by_status(answer.status, code, writing=writing)
    context = {"status": str(answer.status), "code": code, "correlation_id": correlation_id}
    raw = f"HTTP {answer.status}{f', code {code}' if code else ''}{f': {text}' if text else ''}"
    if found.error is Unavailable:
        asked = retry_after(answer, text)
        wait = found.wait if asked is None else asked
        return Unavailable(found.message, found.advice, raw, context, retry_after=wait)
    return found.error(found.message, found.advice, raw, context)


def retry_after(answer: Answer, text: str = "") -> float | None:
    """The pause asked for, in seconds: the header Retry-After (seconds or a date), else the one named in the text."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        named = re.search(r"(\d+) seconds?", text) if answer.status == 429 else None
        return float(named[1]) if named else None


def _by_status(status: int, code: str, *, writing: bool) -> Meaning:
    """What the status alone tells. A fault of the service leaves open whether a write was done; a read just failed."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500 or status == 408:
        message = f"Partner Center failed (HTTP {status})."
        if writing:
            return Meaning(OutcomeUnknown, message, "It is checked by itself whether the change was made.")
        return later(message, MINUTE / 2)
    if 300 <= status < 400:
        return rejected(
            "Partner Center answered with a redirect, which is never followed.",
            "Check the setting PARTNER_CENTER_URL: it must name the service itself.",
        )
    return rejected(
        f"Partner Center refused the request (HTTP {status}{f', code {code}' if code else ''}).",
        "Where this stays so, open a support request in Partner Center and quote the correlation id.",
    )
