"""Azure months against the Autotask stand-in over real HTTP: what the customer's bill of each month is in the end."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from mappings.models import SubscriptionMapping
from portal.audit import Actor, breaks
from syncops.azure.amounts import Amount
from syncops.azure.entering import Origin, enter
from syncops.azure.previews import preview_months
from syncops.azure.sending import send_month
from syncops.models import AzureMonth
from tests.syncops.azure import azure_plan
from tests.syncops.site import TODAY, open_site

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


@dataclass
class Plan:
    """A site whose subscription is an Azure plan with its line on the contract."""

    site: object

    def send(self, month, cost):
        cast, now = self.site.cast, timezone.now()
        amount = Amount(self.site.subscription.pk, month, Decimal(cost), Decimal(0), "EUR", is_complete=True)
        origin = Origin(AzureMonth.Source.RECONCILIATION, "G000024135")
        enter(cast.csp, [amount], origin, actor=Actor.system("import"), today=TODAY.replace(month=8), now=now)
        row = AzureMonth.objects.select_related("operation", "subscription").get(month=month)
        [preview] = preview_months([row], today=TODAY)
        code = preview.codes[0] if preview.codes else None
        operation = self.site.settle(send_month(preview, code, actor=cast.billing, now=now))
        assert operation.state == "succeeded", (operation.error, operation.advice)

    def billed(self, month):
        """Approve & Post of a month: what it billed on our line and as charges, in all."""
        line = SubscriptionMapping.objects.get().line_id
        items = self.site.control("post", {"contract": 70, "period": str(month)})["items"]
        ours = (one for one in items if one["kind"] == "charge" or one["line"] == line)
        return sum((Decimal(str(one["amount"])) for one in ours), Decimal(0))


@pytest.fixture
def plan(cast, tmp_path, settings):
    with open_site(cast, tmp_path, settings) as site:
        zero = {"unitPrice": 0, "unitCost": 0}
        site.control("records", {"entity": "Services", "id": 31, "values": zero})
        site.subscription = azure_plan(cast.csp, "AZ-1", customer=site.subscription.customer)
        operation = site.settle(site.map())
        assert operation.state == "succeeded", operation.error
        yield Plan(site)


def test_as_the_price_of_the_line_each_month_bills_its_own_amount(plan):
    plan.send(MAY, "300.00")
    plan.send(JUNE, "50.00")
    plan.send(MAY, "250.00")
    assert [plan.billed(month) for month in (MAY, JUNE, JULY)] == [300, 60, 0]
    assert list(breaks(plan.site.cast.csp)) == []


def test_a_month_that_was_posted_before_is_short_of_its_difference(plan):
    plan.send(MAY, "300.00")
    assert plan.billed(MAY) == 360
    plan.send(MAY, "310.00")
    row = AzureMonth.objects.select_related("operation").get()
    assert [(gap.amount, gap.cost_amount) for gap in row.operation.shortfalls.all()] == [(12, 10)]
    assert (plan.billed(JUNE), row.state) == (0, "posted")


def test_as_a_charge_each_month_bills_its_own_amount_and_corrections_their_difference(plan):
    plan.site.decide(azure_billing="contract_charge")
    plan.send(MAY, "300.00")
    plan.send(MAY, "310.00")
    plan.send(JUNE, "50.00")
    assert [plan.billed(month) for month in (MAY, JUNE, JULY)] == [372, 60, 0]
    plan.send(JUNE, "40.00")  # all until July is posted: the credit is on August's bill
    assert plan.billed(date(2026, 8, 1)) == -12


def test_a_lost_answer_sets_it_once(plan):
    plan.site.fault("drop_after")
    plan.send(MAY, "300.00")
    assert [plan.billed(month) for month in (MAY, JUNE)] == [360, 0]


def test_a_lost_answer_to_a_charge_makes_one(plan):
    plan.site.decide(azure_billing="contract_charge", azure_period="following_month")
    plan.site.fault("drop_after", path="Charges")
    plan.send(MAY, "300.00")
    assert [plan.billed(month) for month in (MAY, JUNE)] == [0, 360]
