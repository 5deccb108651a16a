"""A line with a shortfall: May was posted with 10 units before a change to 12 from the 20th of May became known."""

from datetime import date
from typing import Any

from connections.psa.types import BillingCode
from syncops.charges import charge_shortfalls, chargeable, draft_charge
from syncops.models import SyncOperation
from tests.syncops.desk import Desk

CODE = BillingCode(21, "Material")
MAY_20, MAY_31, JUNE_3 = date(2026, 5, 20), date(2026, 5, 31), date(2026, 6, 3)


def late_change(desk: Desk, units: int = 12) -> SyncOperation:
    """2 more units for 12 of 31 days at 5.00: 2 x 5.00 x 0.3871 = 3.87 short, and 3.10 of cost."""
    desk.psa.post_through(100, MAY_31)
    desk.today = JUNE_3
    desk.clock.wait(24 * 86400)
    desk.change_quantity(units, MAY_20)
    desk.drain()
    return SyncOperation.objects.filter(kind="change_quantity").latest("pk")


def mapping_of(desk: Desk) -> Any:
    return desk.subscription.mappings.select_related("connection").get(ends_on=None)


def draft(desk: Desk) -> Any:
    mapping = mapping_of(desk)
    return draft_charge(mapping, chargeable(mapping), desk.psa, today=desk.today)


def charge(desk: Desk, one: Any = None) -> SyncOperation:
    """What pressing *Create the charge* does."""
    return charge_shortfalls(one or draft(desk), CODE, actor=desk.cast.admin, now=desk.clock.now)
