"""The customer's bill: what the stand-in's own ledger billed, line and charges, is what follows from the changes.

Random changes, many of them of months that are posted already, each month posted as it ends, shortfalls charged now and
then and all of them in the end. The bill that was due is told day by day, with nothing of the code under test; it may
differ by what rounding each item to a share of 4 places and to a cent can make, and by no more.
"""

import calendar
import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from django.utils import timezone

from connections.registry import psa_for
from mappings.models import SubscriptionMapping
from portal.audit import breaks
from syncops.charges import charge_shortfalls, chargeable, draft_charge
from syncops.models import Shortfall, SyncOperation
from tests.syncops.site import TODAY, open_site

SEEDS = range(int(os.environ.get("RANDOM_BILLS", "4")))
DAY = timedelta(days=1)
CONTRACT = 70


@dataclass
class Customer:
    """A site with what was recorded about its subscription, and every item that was billed."""

    site: object
    random: Random
    units: list[tuple[date, int]] = field(default_factory=list)
    prices: list[tuple[date, Decimal]] = field(default_factory=list)
    items: list[dict] = field(default_factory=list)

    def changes_quantity(self, day):
        units = self.random.randrange(1, 21)
        self.succeeded(self.site.record("quantity_changed", day, quantity=units))
        self.units.append((day, units))

    def changes_price(self, day):
        price = Decimal(self.random.randrange(400, 700)) / 100
        self.succeeded(self.site.record("price_changed", day, erp=price))
        self.prices.append((day, price))

    def is_charged(self, today):
        """Everything that is missing, as one charge; a credit where too much was billed."""
        mapping = SubscriptionMapping.objects.select_related("connection").get()
        psa = psa_for(mapping.connection)
        draft = draft_charge(mapping, chargeable(mapping), psa, today=today)
        if draft.can_be_made:
            self.succeeded(charge_shortfalls(draft, draft.codes[0], actor=self.site.cast.admin, now=timezone.now()))

    def is_billed(self, last):
        posted = self.site.control("post", {"contract": CONTRACT, "through": str(last)})["items"]
        ours = SubscriptionMapping.objects.get().line_id
        self.items += [item for item in posted if item["kind"] == "charge" or item["line"] == ours]

    def succeeded(self, operation):
        settled = self.site.settle(operation)
        assert settled.state in ("succeeded", "superseded"), (settled.kind, settled.error)

    def due(self, first, last):
        """Per day the units and the price that hold, as a part of their month."""
        total = Fraction(0)
        for day in (first + n * DAY for n in range((last - first).days + 1)):
            share = Fraction(1, calendar.monthrange(day.year, day.month)[1])
            end_of_month = day.replace(day=calendar.monthrange(day.year, day.month)[1])  # a price holds all its month
            total += _last(self.units, day) * Fraction(_last(self.prices, end_of_month)) * share
        return total

    def rounding(self):
        """What rounding may make of all items together: half a cent and half of the last place of a share, each."""
        largest = max(units for _, units in self.units) * max(price for _, price in self.prices)
        parts = len(self.items) + Shortfall.objects.count()
        return parts * (Fraction(1, 200) + Fraction(largest) / 20_000)


def _last(facts, day):
    """Of those that hold on a day the one of the youngest date, and of one date the one recorded last."""
    return max((since, number, value) for number, (since, value) in enumerate(facts) if since <= day)[2]


@pytest.fixture
def customer(request, cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        one = Customer(site, Random(request.param))
        one.units.append((TODAY, 10))
        one.prices.append((TODAY, Decimal(5)))
        one.succeeded(site.map())
        yield one


@pytest.mark.parametrize("customer", SEEDS, indirect=True)
def test_the_line_and_its_charges_bill_what_the_changes_ask_for(customer):
    random = customer.random
    for month in range(TODAY.month, 13):
        last = date(2026, month, calendar.monthrange(2026, month)[1])
        for _ in range(random.choice((0, 1, 2, 2))):
            day = TODAY + random.randrange((last - TODAY).days + 1) * DAY
            random.choice((customer.changes_quantity, customer.changes_quantity, customer.changes_price))(day)
        if month == 12 or random.random() < 0.4:
            customer.is_charged(last)
        customer.is_billed(last)
    billed = sum((Decimal(str(item["amount"])) for item in customer.items), Decimal(0))
    due = customer.due(TODAY, date(2026, 12, 31))
    assert abs(Fraction(billed) - due) <= customer.rounding(), (billed, float(due))
    assert not [gap for gap in Shortfall.objects.unsettled() if gap.amount]
    assert (
        any(item["kind"] == "charge" for item in customer.items)
        == SyncOperation.objects.filter(kind="charge_shortfall").exists()
    )
    assert list(breaks(customer.site.cast.csp)) == []


@pytest.mark.parametrize("customer", [0], indirect=True)
def test_in_numbers_a_late_change_of_a_posted_month_is_billed_by_one_charge(customer):
    """May: 10 x 5.00 x 22/31 = 35.49 (as 0.7097) posted; 12 from the 20th lack 2 x 5.00 x 12/31 = 3.87."""
    customer.is_billed(date(2026, 5, 31))
    customer.succeeded(customer.site.record("quantity_changed", date(2026, 5, 20), quantity=12))
    customer.is_charged(date(2026, 6, 3))
    customer.is_billed(date(2026, 6, 30))
    assert [(item["kind"], Decimal(str(item["amount"]))) for item in customer.items] == [
        ("row", Decimal("35.49")),
        ("row", Decimal("60")),
        ("charge", Decimal("3.87")),
    ]
