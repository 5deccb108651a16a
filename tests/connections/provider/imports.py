"""An import through the running stand-in, with a clock that is moved by hand."""

from datetime import UTC, datetime, timedelta

from connections.models import Hint
from connections.provider.partner_center import importer, looking
from connections.sandbox.seed.names import BY_KEY as CUSTOMERS
from portal.models import Subscription
from tests.connections.sandbox.partner_center_api import subscription_path

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)  # as the stand-in has it


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def wait(self, **time):
        self.now += timedelta(**time)


class Importing:
    """The connection, the stand-in, and what is read from one into the other."""

    def __init__(self, connection, far_side):
        self.connection, self.far_side, self.clock = connection, far_side, Clock()

    def only(self, *customers):
        """The stand-in holds these customers alone, so that reading them takes little time."""
        kept = {CUSTOMERS[name].tenant_id for name in customers}
        ledger = self.far_side.server.ledger
        for customer in ledger.all("customer"):
            if customer["id"] not in kept:
                ledger.remove("customer", customer["id"])

    def wait(self, **time):
        """Time passes on both sides."""
        self.clock.wait(**time)
        (unit, amount), *_ = time.items()
        self.far_side.advance(**{unit: amount})

    def everything(self):
        row = importer.start_import(self.connection, now=self.clock())
        return importer.run_import(row.pk, clock=self.clock)

    def changes(self):
        """The audit records, and a look at what they name."""
        row = importer.start_changes(self.connection, now=self.clock())
        row = importer.run_import(row.pk, clock=self.clock)
        self.look()
        return row

    def look(self):
        for hint in Hint.objects.waiting().filter(due_at__lte=self.clock()):
            looking.look(hint.pk, clock=self.clock)

    def subscription(self, customer="noordzee-logistics", number=1):
        external_id = subscription_path(customer, number).rpartition("/")[2]
        return Subscription.objects.get(external_id__iexact=external_id)

    def there(self, subscription, **fields):
        """Somebody changes it in Partner Center."""
        self.far_side.control(f"subscriptions/{subscription.external_id}", fields)

    def requests(self):
        return self.far_side.control("counters")["requests"]
