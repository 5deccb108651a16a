"""The demonstration has an Azure plan whose older month was set, and whose last one waits to be sent."""

from datetime import UTC, datetime

from connections.sandbox.remote import control
from portal.models import Subscription
from syncops.demo.azure import show_azure
from syncops.demo.seed import seed
from syncops.models import AzureMonth
from tests.syncops.test_demo_seed import sandbox

__all__ = ["sandbox"]
TODAY = datetime.now(UTC).date()


def test_one_month_is_set_and_one_to_be_sent(db, sandbox):
    tenant = seed(TODAY, say=lambda words: None, synced=0)
    for _ in range(2):  # again it changes nothing
        show_azure(tenant, say=lambda words: None)
    newer, older = AzureMonth.objects.select_related("operation").order_by("-month")
    assert (older.state, newer.state) == ("set", "ready")
    plan = Subscription.objects.get(pk=older.subscription_id)
    (line,) = control(sandbox.autotask, "GET", "ledger", key=plan.external_id)["lines"]
    prices = {row["start"]: float(row["unit_price"]) for row in line["rows"]}
    assert prices[str(older.month)] == float(older.price)
    assert prices[str(newer.month)] == 0
