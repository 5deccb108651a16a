"""What an answer of Autotask's API means: its JSON, or the error that says what to do next.

2xx without `errors`                                 success, also with {"itemId": null}
401                                                  Unauthorized; never repeated, because the API user locks
429, 503, the texts of the limits                    Unavailable
other 4xx, 500 with `errors`                         Rejected
500 without `errors`, 502, 504, a redirect,
an answer that breaks off or cannot be read          OutcomeUnknown for a write, Unavailable for a read
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from connections.http import Answer
from connections.psa.autotask.advice import BUSY_HOUR, BUSY_THREADS, NO_RIGHT, USERS, Advice, Verdict, advice_for
from connections.psa.errors import Why
from portal.far_side import FarSideError, OutcomeUnknown, Rejected, Unauthorized, Unavailable

BUSY_STATUS = (429, 503)
BROKEN_STATUS = (408, 502, 504)
LONGEST_RAW = 2000
LOCKED = re.compile(r"\block(ed)?\b", re.IGNORECASE)
NO_LOOP = "Nothing is tried by itself until then, because the user would lock."
UNLOCK = f"In Autotask, open {USERS}, edit the API user, and untick Locked on the tab Security."
ENTER_ANEW = f"Then press Test here; with a new secret, enter that first. {NO_LOOP}"
HOUR_PAUSE_S, THREADS_PAUSE_S = 60, 5  # without a Retry-After, which Autotask does not document


def parsed(text: str) -> Any:
    """JSON with every number that has a fraction as Decimal, all its places kept. Raises ValueError."""
    return json.loads(text, parse_float=Decimal)


def understood(answer: Answer, *, writes: bool, worked_at: datetime | None = None) -> dict[str, Any]:
    """The JSON object of a success. Raises one of the errors of `portal.far_side` for everything else.

    `worked_at`: when Autotask last took these credentials, None where it never did.
    """
    body = _object(answer.text)
    texts = error_texts(body)
    if 200 <= answer.status < 300 and body is not None and not texts:
        return body
    error = _error(answer, body, texts, writes, worked_at)
    error.context["status"] = str(answer.status)
    raise error


def error_texts(body: dict[str, Any] | None) -> list[str]:
    """Autotask's own `errors`, or nothing. `Message` of the web server in front of it does not count."""
    found = next((value for name, value in (body or {}).items() if name.lower() == "errors"), None)
    texts = found if isinstance(found, list) else [found]
    return [str(text) for text in texts if text]


def no_answer(problem: Exception, *, writes: bool) -> FarSideError:
    """The error for a request that was sent and not answered."""
    if writes:
        return OutcomeUnknown(
            f"Autotask was told, but {problem}.",
            advice="What it did is read back before anything else is sent.",
            raw=str(problem),
        )
    return Unavailable(f"Autotask does not answer: {problem}.", advice="It is tried again.", raw=str(problem))


def not_sent(problem: Exception, host: str) -> Unavailable:
    """The error for a request that never left."""
    return Unavailable(
        f"Autotask ({host}) is not reached: {problem}. Nothing was sent.",
        advice="It is tried again. If it lasts, check that this server reaches it through the firewall.",
        raw=str(problem),
    )


def answered_at(answer: Answer) -> datetime | None:
    """What the far side's clock showed when it answered; None where its answer does not say."""
    return _moment(answer.headers.get("Date", ""))


def _error(
    answer: Answer, body: dict[str, Any] | None, texts: list[str], writes: bool, worked_at: datetime | None
) -> FarSideError:
    raw = answer.text[:LONGEST_RAW]
    advice = advice_for(" ".join(texts) or _message(body))
    if answer.status == 401 and advice.why is not Why.MISSING_RIGHT:
        return _unauthorized(raw, " ".join(texts) or _message(body), worked_at)
    if answer.status in (401, 403):
        return _rejected(NO_RIGHT, raw)
    if answer.status in BUSY_STATUS or (texts and advice.verdict is Verdict.BUSY):
        return _busy(answer, advice, raw)
    if texts and advice.verdict is Verdict.REFUSED:
        return _rejected(advice, "\n".join(texts)[:LONGEST_RAW])
    if 400 <= answer.status < 500 and answer.status not in BROKEN_STATUS:
        return _rejected(advice, raw)
    if writes:
        return OutcomeUnknown(
            f"Autotask's answer (status {answer.status}) does not say whether it was done.",
            advice="What it did is read back before anything else is sent.",
            raw=raw,
        )
    return Unavailable(f"Autotask has a fault of its own (status {answer.status}).", "It is tried again.", raw)


def blocked_for(error: Unavailable) -> float | None:
    """For how many seconds a limit of requests forbids any further one; None where no limit was the reason."""
    return (error.retry_after or float(error.context["limit"])) if "limit" in error.context else None


def _busy(answer: Answer, advice: Advice, raw: str) -> Unavailable:
    if advice.verdict is not Verdict.BUSY and answer.status == 429:
        advice = BUSY_HOUR
    if advice.verdict is Verdict.BUSY:
        pause_s = THREADS_PAUSE_S if advice is BUSY_THREADS else HOUR_PAUSE_S
        context = {"limit": str(pause_s)}
        return Unavailable(advice.message, advice.advice, raw, context, retry_after=_retry_after(answer))
    return Unavailable(
        "Autotask is out of service for the moment.",
        advice="It is tried again. Planned maintenance is announced in Autotask.",
        raw=raw,
        retry_after=_retry_after(answer),
    )


def _rejected(advice: Advice, raw: str) -> Rejected:
    return Rejected(advice.message, advice.advice, raw, context={"why": advice.why.value} if advice.why else {})


def _unauthorized(raw: str, text: str, worked_at: datetime | None) -> Unauthorized:
    """Autotask answers 401 alike to a wrong secret and to a user that is locked or inactive, mostly without a word.

    Credentials that were taken before are not mistyped, so it is the user who changed; for others every cause is named.
    """
    if LOCKED.search(text):
        return Unauthorized("The API user is locked.", f"{UNLOCK} {ENTER_ANEW}", raw, {"cause": "locked_user"})
    if worked_at is not None:
        return Unauthorized(
            f"Autotask refuses the API user, who was let in until {worked_at:%-d %B %Y}: the user is locked, was made "
            "inactive, or has a new secret.",
            f"{UNLOCK} Look there whether it is still active. {ENTER_ANEW}",
            raw,
            {"cause": "user_changed"},
        )
    return Unauthorized(
        "Autotask refuses the secret of the API user, or the user is locked or inactive.",
        f"In Autotask, open {USERS} and edit the API user. Mistyped secret: generate a new one and enter it here. "
        "Locked: untick Locked on the tab Security. Inactive: tick Active. Its license type must be API User, and its "
        f"tracking identifier the one given here. {NO_LOOP}",
        raw,
        {"cause": "credentials"},
    )


def _message(body: dict[str, Any] | None) -> str:
    return str((body or {}).get("Message") or "")


def _object(text: str) -> dict[str, Any] | None:
    try:
        body = parsed(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(answer: Answer) -> float | None:
    """Seconds; Autotask documents no such header, so it may be absent, a number, or a date."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    until, sent = _moment(value), answered_at(answer)
    return max(0.0, (until - sent).total_seconds()) if until and sent else None


def _moment(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
