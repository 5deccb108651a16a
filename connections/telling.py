"""Mails about a connection's health to the administrators of its organization: one per change, and never two.

`told` on the row is what they know. Whoever changes it, by a conditional UPDATE, sends the mail. A mail that cannot be
sent puts it back, and is tried again after a while; so there is never more than one in five minutes.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q, QuerySet
from django.urls import reverse

from connections.models import Connection
from portal.models import User

PATIENCE, APART = timedelta(minutes=15), timedelta(minutes=5)
State, Told = Connection.State, Connection.Told
IN_USE = (State.ACTIVE, State.PAUSED)


def news(now: datetime) -> QuerySet[Connection]:
    """Connections of which the administrators know something else than what is true.

    One that has failed for less than 15 minutes is no news; neither are drafts and retired ones.
    """
    refused = Q(state=State.UNAUTHORIZED) & ~Q(told=Told.UNAUTHORIZED)
    failing = Q(state__in=IN_USE, failing_since__lte=now - PATIENCE) & ~Q(told=Told.FAILING)
    well = Q(state__in=IN_USE, failing_since__isnull=True) & ~Q(told=Told.WELL)
    rested = Q(told_at__isnull=True) | Q(told_at__lte=now - APART)
    return Connection.objects.filter(refused | failing | well, rested)


def tell(connection_id: int, *, now: datetime) -> bool:
    """Mail what is new about the connection; False where nothing is, or another worker does it."""
    connection = news(now).select_related("organization").filter(pk=connection_id).first()
    if connection is None:
        return False
    row, known, new = Connection.objects.filter(pk=connection_id), connection.told, _word(connection)
    if not row.filter(told=known, told_at=connection.told_at).update(told=new, told_at=now):
        return False
    try:
        _mail(connection, *_letter(connection, new))
    except Exception:
        row.filter(told=new).update(told=known)
        raise
    return True


def _word(connection: Connection) -> Connection.Told:
    if connection.state == State.UNAUTHORIZED:
        return Told.UNAUTHORIZED
    return Told.FAILING if connection.failing_since else Told.WELL


def _letter(connection: Connection, new: Connection.Told) -> tuple[str, str]:
    """Subject and text."""
    if new == Told.UNAUTHORIZED:
        kept = "What was to be sent is kept and goes on once they work again:"
        return "credentials refused, nothing is sent", f"{connection.last_failure}\n\n{kept}"
    if new == Told.FAILING and connection.failing_since:
        since = connection.failing_since.astimezone(connection.organization.zone)
        kept = "It is tried again by itself, and what fails for good waits in the inbox. How it is now:"
        return f"no answer since {since:%H:%M}", f"{connection.last_failure}\n\n{kept}"
    if connection.state == State.PAUSED:
        return "it works again", "It answers again. It is paused: nothing is sent until somebody resumes it:"
    return "it works again", "It answers again, and what waited is sent by itself. How it is now:"


def _mail(connection: Connection, subject: str, text: str) -> None:
    administrators = User.objects.filter(
        organization_id=connection.organization_id, role=User.Role.ADMINISTRATOR, is_active=True
    )
    page = f"{settings.PUBLIC_URL}{reverse('connections:connection_detail', args=[connection.pk])}"
    send_mail(
        subject=f"{connection.name}: {subject}",
        message=f"{text}\n{page}\n",
        from_email=None,
        recipient_list=[person.email for person in administrators],
    )
