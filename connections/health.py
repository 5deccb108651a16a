"""How a connection is doing: noted cheaply while work goes on, and said in words on pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce

from connections.models import Connection
from portal.far_side import FarSideError

NOTED_EVERY = timedelta(minutes=1)
TONES = {
    Connection.State.DRAFT: "info",
    Connection.State.ACTIVE: "ok",
    Connection.State.PAUSED: "warn",
    Connection.State.UNAUTHORIZED: "bad",
    Connection.State.RETIRED: "muted",
}


@dataclass(frozen=True, slots=True)
class Health:
    """A connection's state in words: `tone` is ok, info, warn, bad or muted."""

    tone: str
    text: str
    detail: str = ""


def note_success(connection: Connection, *, now: datetime) -> None:
    """Remember that the far side answered; at most one write per minute and connection, unless it was failing."""
    latest = connection.last_success_at
    if latest is None or now - latest >= NOTED_EVERY or connection.failing_since is not None:
        news = Q(last_success_at__isnull=True) | Q(last_success_at__lte=now - NOTED_EVERY) | Q(failing_since__lte=now)
        later = Case(When(failing_since__gt=now, then="failing_since"), default=None)
        Connection.objects.filter(news, pk=connection.pk).update(last_success_at=now, failing_since=later)
        connection.last_success_at, connection.failing_since = now, None


def note_failure(connection: Connection, error: FarSideError, *, now: datetime) -> None:
    """Remember what went wrong, and since when; the same words at most once per minute."""
    words, latest = str(error), connection.last_failure_at
    if latest is None or now - latest >= NOTED_EVERY or connection.last_failure != words:
        since = Coalesce("failing_since", Value(now))
        Connection.objects.filter(pk=connection.pk).update(last_failure_at=now, last_failure=words, failing_since=since)
        connection.last_failure_at, connection.last_failure = now, words
        connection.failing_since = connection.failing_since or now


def health_of(connection: Connection) -> Health:
    """The state of a connection, and what went wrong last where nothing went right since."""
    state = Connection.State(connection.state)
    failed, succeeded = connection.last_failure_at, connection.last_success_at
    failing = failed is not None and (succeeded is None or succeeded < failed)
    if state == Connection.State.ACTIVE and connection.mode == Connection.Mode.REHEARSE:
        return Health("info", "Rehearsal", "Everything is planned and listed, nothing is sent.")
    if state == Connection.State.ACTIVE and failing:
        return Health("warn", "Failing", connection.last_failure)
    if state == Connection.State.UNAUTHORIZED:
        return Health("bad", str(state.label), connection.last_failure)
    if state == Connection.State.DRAFT:
        return Health("info", str(state.label), "Go on with setting it up, or discard it. It is forgotten after a day.")
    return Health(TONES[state], str(state.label))
