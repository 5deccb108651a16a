"""The bill of a subscription some of whose units are left out now and then: what the stand-in's own ledger billed is
what the changes ask for, without those units, told day by day by nothing of the code under test.
"""

import calendar
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from django.utils import timezone

from mappings.models import SubscriptionMapping
from portal.audit import Actor, breaks
from syncops.actions import NotPossible
from syncops.excluding import exclude_units
from syncops.models import Shortfall
from tests.syncops.site import TODAY, open_site
from tests.syncops.test_bill_over_http import DAY, Customer, _last


class Generous(Customer):
    """A customer some of whose units are not billed; what was said last holds, from its day on."""

    def leaves_out(self, day):
        mapping = SubscriptionMapping.objects.select_related("connection", "subscription").get()
        units = self.random.randrange(6)
        who = {"actor": Actor.user(self.site.cast.admin), "now": timezone.now()}
        try:
            self.succeeded(exclude_units(mapping, units=units, day=day, why="A gift", **who))
        except NotPossible:  # as it is already
            return
        self.left_out.append((day, units))

    def out(self, day):
        return next((units for since, units in reversed(self.left_out) if since <= day), 0)

    def due(self, first, last):
        total = Fraction(0)
        for day in (first + n * DAY for n in range((last - first).days + 1)):
            days = calendar.monthrange(day.year, day.month)[1]
            price = _last(self.prices, day.replace(day=days))
            total += max(0, _last(self.units, day) - self.out(day)) * Fraction(price) / days
        return total


@pytest.mark.parametrize("seed", range(2))
def test_the_line_and_its_charges_bill_the_units_that_are_not_left_out(seed, cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        customer = Generous(site, Random(seed), units=[(TODAY, 10)], prices=[(TODAY, Decimal(5))])
        customer.left_out = []
        customer.succeeded(site.map())
        for month in range(TODAY.month, 13):
            last = date(2026, month, calendar.monthrange(2026, month)[1])
            for _ in range(2):
                day = TODAY + customer.random.randrange((last - TODAY).days + 1) * DAY
                changes = (customer.changes_quantity, customer.leaves_out, customer.leaves_out, customer.changes_price)
                customer.random.choice(changes)(day)
            if month == 12 or customer.random.random() < 0.4:
                customer.is_charged(last)
            customer.is_billed(last)
        billed = sum((Decimal(str(item["amount"])) for item in customer.items), Decimal(0))
        due = customer.due(TODAY, date(2026, 12, 31))
        assert len(customer.left_out) > 3
        assert abs(Fraction(billed) - due) <= customer.rounding(), (billed, float(due))
        assert not [gap for gap in Shortfall.objects.unsettled() if gap.amount]
        assert list(breaks(cast.csp)) == []
