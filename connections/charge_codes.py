"""The billing code that a connection's charges carry: chosen once by a person, offered again from then on."""

from datetime import datetime

from django.db import transaction

from connections.models import Connection
from connections.psa.types import BillingCode
from portal import audit
from portal.audit import Actor

SETTING = "charge_code"


def charge_code_of(connection: Connection) -> int | None:
    """The id of the chosen code in the PSA; None where nobody chose one yet."""
    return connection.settings.get(SETTING)


def choose_charge_code(connection: Connection, code: BillingCode, *, actor: Actor, now: datetime) -> None:
    """Keep the code for the next charges. Choosing it again changes nothing."""
    with transaction.atomic():
        locked = Connection.objects.select_for_update(no_key=True).select_related("organization").get(pk=connection.pk)
        before = charge_code_of(locked)
        if before == code.id:
            return
        locked.settings = locked.settings | {SETTING: code.id}
        locked.save(update_fields=["settings"])
        audit.record(
            "Choose Billing Code Of Charges",
            actor=actor,
            organization=locked.organization,
            connection=locked,
            subject=locked.name,
            before={"code": before},
            after={"code": code.id, "name": code.name},
            at=now,
        )
