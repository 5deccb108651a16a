"""Telling Partner Center where to deliver its notifications. A partner's tenant has one such address altogether."""

import secrets
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.urls import reverse

from connections.models import Connection, Registration
from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.notifications import EVENTS
from connections.provider.partner_center.reach import client_of, must_be_readable
from connections.refusals import Refused
from portal import audit
from portal.audit import Actor
from portal.far_side import FarSideError, Rejected

ROOT, PATH = "webhooks/v1", ("registration",)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def address_of(registration: Registration) -> str:
    return settings.PUBLIC_URL + reverse("connections:notification", args=[registration.key])


def can_be_reached() -> bool:
    """Microsoft delivers to https addresses only; one that runs on this machine reaches this machine."""
    ours, theirs = urlsplit(settings.PUBLIC_URL), urlsplit(settings.PARTNER_CENTER_URL)
    return ours.scheme == "https" or (theirs.hostname in LOOPBACK and ours.hostname in LOOPBACK)


def register(connection: Connection, *, replace: bool, actor: Actor, now: datetime) -> Registration:
    """Have notifications delivered here. Refused where another address has them, unless it is to be replaced.

    Raises FarSideError where Partner Center refuses.
    """
    must_be_readable(connection)
    if not can_be_reached():
        raise Refused("Microsoft delivers to public https addresses only; this portal has none (PORTAL_PUBLIC_URL).")
    key = secrets.token_urlsafe(32)
    row, _ = Registration.objects.get_or_create(connection=connection, defaults={"key": key})
    client = client_of(connection, bulk=False, clock=lambda: now)
    url, there = address_of(row), _registered(client)
    if there not in ("", url) and not replace:
        raise Refused(f"Notifications go to {there} already, and a tenant has one address. Take them over, or relay.")
    events = _events(client)
    body = {"WebhookUrl": url, "WebhookEvents": events, "SignatureTokenToMsSignatureHeader": False}
    client.write("PUT" if there else "POST", *PATH, body=body, request_id=uuid4(), root=ROOT)
    Registration.objects.filter(pk=row.pk).update(events=events, registered_at=now, problem="")
    audit.record(
        "Register Notifications",
        actor=actor,
        organization=connection.organization,
        connection=connection,
        subject=connection.name,
        before={"address": there},
        after={"events": events},
        at=now,
    )
    row.refresh_from_db()
    return row


def register_unless_taken(connection: Connection, *, now: datetime) -> None:
    """By itself, after an import: where nothing is registered yet. What stood in the way is kept in words."""
    known = Registration.objects.filter(connection=connection).first()
    if not can_be_reached() or (known and (known.registered_at or known.problem)):
        return
    try:
        register(connection, replace=False, actor=Actor.system("Partner Center"), now=now)
    except (Refused, FarSideError) as error:
        Registration.objects.filter(connection=connection).update(problem=str(error))


def _events(client: PartnerCenter) -> list[str]:
    """What this tenant may use of what we understand."""
    offered = {str(name).lower() for name in client.read("registration", "events", root=ROOT).body or ()}
    return [name for name in EVENTS if name in offered] or ["subscription-updated"]


def _registered(client: PartnerCenter) -> str:
    """The address that has the notifications now; "" where there is none."""
    try:
        body = client.read(*PATH, root=ROOT).body
    except Rejected as error:
        if error.context.get("status") in ("404", "400"):
            return ""
        raise
    found = {str(name).lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
    return str(found.get("webhookurl") or "")
