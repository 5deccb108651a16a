"""The bill of an offer that is billed as another service for some weeks of a month: both lines together bill what the
one would have billed, day by day, by the stand-in's own ledger.
"""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal.audit import Actor, breaks
from syncops import overriding
from syncops.models import SyncOperation
from syncops.overriding import Asked
from tests.syncops.site import TODAY, open_site

MAY_17, MAY_24, MAY_31 = (date(2026, 5, day) for day in (17, 24, 31))


def bill_as(site, service_id, day):
    mapping = SubscriptionMapping.objects.open().select_related(*overriding.RELATED).get()
    psa = psa_for(mapping.connection)
    asked = Asked(mapping, psa.service(service_id), day, "A price of its own", beside=True)
    moving = overriding.read(asked, psa)
    who = {"actor": Actor.user(site.cast.admin), "today": MAY_31, "now": timezone.now()}
    overriding.bill_as(asked, moving, **who)
    for operation in SyncOperation.objects.open().order_by("pk"):
        assert site.settle(operation).state == "succeeded", operation.error


def test_both_lines_together_bill_every_day_once(cast, tmp_path, settings):
    """10 x 5.00 from the 10th: 7 days as the mapped service, 7 as the other one, 8 as the mapped one again."""
    with open_site(cast, tmp_path, settings) as site:
        site.settle(site.map())
        bill_as(site, 30, MAY_17)
        bill_as(site, 31, MAY_24)
        lines = {one.line_id for one in SubscriptionMapping.objects.all()}
        items = site.control("post", {"contract": 70, "through": str(MAY_31)})["items"]
        ours = [(item["line"], Decimal(str(item["amount"]))) for item in items if item["line"] in lines]
        assert len(lines) == 2
        days = (MAY_31 - TODAY).days + 1
        assert abs(sum(amount for _, amount in ours) - 50 * Decimal(days) / 31) < Decimal("0.02")
        assert list(breaks(cast.csp)) == []
