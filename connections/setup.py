"""Setting a connection up in steps. What was tested waits as a draft, its secrets sealed, until the last step.

Only a passed test makes a draft, so whoever holds one may go on. A draft that nobody finishes is forgotten after a day.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from connections import trials
from connections.mirror import start_refresh
from connections.models import Connection
from connections.policies import Policies
from connections.refusals import Refused
from connections.registry import PSAS, Trial
from portal import audit
from portal.audit import Actor
from portal.models import Organization

KEPT_FOR = timedelta(days=1)
State = Connection.State


def begin_connection(
    organization: Organization,
    *,
    kind: str,
    settings: Mapping[str, Any],
    trial: Trial,
    key: uuid.UUID,
    actor: Actor,
    now: datetime,
) -> Connection:
    """A draft with credentials that passed the test; sent again with the same key, it gets those sent last.

    Refused where the test did not pass, and where the key is that of a connection which is set up.
    """
    if not trial.passed:
        raise Refused("The test did not pass; a connection is only made with credentials that work.")

    def store() -> Connection:
        draft = _with_key(key, organization, kind)
        draft.settings = dict(settings)
        trials.keep(draft, trial, now)
        if draft.currencies and draft.currency not in draft.currencies:
            draft.currency = ""
        draft.save()
        trials.seal(draft, trial.secrets, now)
        answered = {"test": trials.in_words(trial.results)}
        _record("Begin Connection", draft, actor, now, asked={**settings, **trial.secrets}, answered=answered)
        return draft

    try:
        with transaction.atomic():
            return store()
    except IntegrityError:  # sent twice at once, and the other one was first: it is there by now
        with transaction.atomic():
            return store()


def describe_connection(draft: Connection, *, name: str, currency: str, actor: Actor, now: datetime) -> None:
    """Give a draft its name and currency. Refused once it is set up."""
    with transaction.atomic():
        locked = _locked_draft(draft)
        before = {"name": locked.name, "currency": locked.currency}
        after = {"name": name, "currency": currency}
        if after != before:
            locked.name, locked.currency = name, currency
            locked.save(update_fields=["name", "currency"])
            _record("Describe Connection", locked, actor, now, before=before, after=after)
    draft.refresh_from_db()


def finish_connection(
    draft: Connection, *, policies: Policies, actor: Actor, now: datetime, mode: str = Connection.Mode.LIVE
) -> None:
    """Put a draft into use, and start reading its mirror. Refused where it is in use, or another has its name."""
    try:
        with transaction.atomic():
            locked = _locked_draft(draft)
            if not (locked.name and locked.currency):
                raise Refused("It has no name and currency yet.")
            locked.state, locked.mode, locked.policies_json = State.ACTIVE, mode, policies.as_json()
            locked.save(update_fields=["state", "mode", "policies_json"])
            named = {"name": locked.name, "currency": locked.currency, "mode": locked.mode}
            asked = named | locked.settings | locked.policies_json
            _record("Create Connection", locked, actor, now, asked=asked)
            if locked.kind in PSAS:
                start_refresh(locked, now=now)
    except IntegrityError as error:
        raise Refused("A connection of this name exists already. Choose another name.") from error
    draft.refresh_from_db()


def discard_connection(draft: Connection, *, actor: Actor, now: datetime) -> None:
    """Forget a draft and its secrets. Refused once it is set up."""
    with transaction.atomic():
        locked = _locked_draft(draft)
        _record("Discard Connection", locked, actor, now, before=locked.settings)
        locked.delete()


def abandoned(now: datetime) -> QuerySet[Connection]:
    """Drafts that nobody has gone on with for a day."""
    return Connection.objects.filter(state=State.DRAFT, tested_at__lte=now - KEPT_FOR)


def forget_abandoned(now: datetime) -> int:
    """Discard what is abandoned; how many there were."""
    drafts = list(abandoned(now))
    for draft in drafts:
        try:
            discard_connection(draft, actor=Actor.system("not finished within a day"), now=now)
        except Refused:
            continue  # finished or discarded at this very moment
    return len(drafts)


def _with_key(key: uuid.UUID, organization: Organization, kind: str) -> Connection:
    """The organization's draft of this key, locked, or a new one."""
    known = Connection.objects.select_for_update(of=("self",), no_key=True).filter(key=key).first()
    if known is None:
        return Connection(organization=organization, kind=kind, key=key)
    if (known.organization_id, known.kind, known.state) != (organization.pk, kind, State.DRAFT):
        raise Refused("This connection is set up already.")
    return known


def _locked_draft(draft: Connection) -> Connection:
    rows = Connection.objects.select_for_update(of=("self",), no_key=True).select_related("organization")
    locked = rows.filter(pk=draft.pk, state=State.DRAFT).first()
    if locked is None:
        raise Refused("It is set up already, or was discarded.")
    return locked


def _record(what: str, connection: Connection, actor: Actor, now: datetime, **details: Any) -> None:
    audit.record(
        what,
        actor=actor,
        organization=connection.organization,
        connection=connection,
        subject=str(connection),
        at=now,
        **details,
    )
