"""The same small Autotask twice: in memory, and as the sandbox over HTTP. Tests drive both with the same words.

Contract 70 is monthly from the 1st of January 2026 to the end of the year; its line 90 holds 10 units at 5.00 from the
1st of May on. Contract 71 holds hours, contract 72 is yearly. It is the 15th of May 2026.
"""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

import requests
from django.core.cache import cache
from django.utils import timezone

from connections.psa.autotask.api import Api, Credentials
from connections.psa.autotask.client import AutotaskPsa
from connections.sandbox.autotask.server import AutotaskServer
from connections.usage import Usage
from tests.connections.sandbox.autotask_api import TODAY, USER, database
from tests.fake_psa import FakePsa, a_company, a_contract, a_service


class Unlimited:
    """A budget that allows everything, for the client alone."""

    def places(self, entity, wanted=1, *, counting=False):
        return nullcontext(wanted)

    def in_line(self, entity):
        return nullcontext()

    def learn(self, counted):
        self.counted = counted

    def block(self, seconds):
        self.blocked = seconds

    def usage(self):
        return Usage(timezone.now())


COMPANY, CONTRACT, SERVICE, PREMIUM, LINE = 10, 70, 30, 31, 90
YEAR = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
MAY_1, MAY_10, MAY_31, JUNE_1 = date(2026, 5, 1), date(2026, 5, 10), date(2026, 5, 31), date(2026, 6, 1)
CREDENTIALS = Credentials(USER["user_name"], USER["secret"], USER["integration_code"])


class InMemory:
    """FakePsa, driven."""

    def __init__(self):
        self.psa = FakePsa(
            companies=[
                a_company(0, "Northwind Cloud"),
                a_company(10, "Müller Bau GmbH"),
                a_company(11, "Contoso 100% B.V.", is_active=False),
                a_company(12, "Vendor", type_label="Vendor"),
            ],
            services=[
                a_service(30, "Basic"),
                a_service(31, "Premium", unit_price=Decimal("20.50"), unit_cost=Decimal(16)),
                a_service(32, "Gone", unit_price=Decimal(1), unit_cost=Decimal(0), is_active=False),
            ],
            contracts=[
                a_contract(70, "Monthly", company_id=10, **YEAR),
                a_contract(71, "Hours", company_id=10, type_label="Time & Materials", **YEAR),
                a_contract(72, "Yearly", company_id=11, period="yearly", **YEAR),
            ],
        )
        self.psa.add_line(70, 30, units=10, since=MAY_1, key="sub-1", line_id=90)

    def person_edits(self, day, change):
        self.psa.edit(LINE, day, self.psa.units_on(LINE, day) + change)

    def posts_through(self, day):
        self.psa.post_through(CONTRACT, day)

    def renames(self, name):
        """The company, the service, the contract, by people there."""
        modified = {"name": name, "modified_at": self.psa.as_of}
        self.psa.put_company(replace(self.psa.company(COMPANY), **modified))
        self.psa.put_service(replace(self.psa.service(SERVICE), **modified))
        self.psa.put_contract(replace(self.psa.contract(CONTRACT), **modified))

    def refuses_a_second_adjustment_of_a_date(self):
        self.psa.same_date = "duplicate"

    def fails(self, verb, fault):
        self.psa.fail_next(verb, fault)

    def counted(self):
        """Nothing is counted here."""
        return 0

    def revokes_reading_contracts(self):
        self.psa.missing_rights = ("Read contracts",)

    def revokes_creating(self, noun):
        self.psa.missing_rights = (f"Create {noun}s",)

    def adjustments_applied(self):
        return len(self.psa.applied)

    def bills_the_charges_of(self, day):
        self.psa.bill_charges(CONTRACT, day)


class OverHttp:
    """The real client against the sandbox, driven through its control endpoints."""

    FAULTS = {
        "drop_before": {"fault": "drop_before"},
        "drop_after": {"fault": "drop_after"},
        "reject": {"fault": "error_500_json", "text": "No."},
        "unavailable": {"fault": "error_503"},
        "unauthorized": {"fault": "unauthorized"},
        "swallow": {"fault": "swallow"},
        "stale": {"fault": "stale_read"},
    }
    PATHS = {
        "adjust": ("POST", "ContractServiceAdjustments$"),
        "create_line": ("POST", "Contracts/[0-9]+/Services$"),
        "contract": ("GET", "Contracts/[0-9]+$"),
        "create_charge": ("POST", "Contracts/[0-9]+/Charges$"),
        "create_service": ("POST", "V1.0/Services$"),
        "create_contract": ("POST", "V1.0/Contracts$"),
        "extend_contract": ("PATCH", "Contracts$"),
        "find_charges": ("POST", "ContractCharges/query$"),
        "unit_rows": ("POST", "ContractServiceUnits/query$"),
    }

    def __init__(self, server, credentials=CREDENTIALS, cache=cache):
        self.url = server.url
        self.control("clock", {"today": TODAY})
        self.budget = Unlimited()
        self.api = Api(credentials, key=str(uuid4()), budget=self.budget, cache=cache)
        self.psa = AutotaskPsa(self.api)

    def person_edits(self, day, change):
        self.control("edit", {"line": LINE, "date": str(day), "unitChange": change})

    def posts_through(self, day):
        self.control("post", {"contract": CONTRACT, "through": str(day)})

    def renames(self, name):
        for entity, key, field in (
            ("Companies", COMPANY, "companyName"),
            ("Services", SERVICE, "name"),
            ("Contracts", CONTRACT, "contractName"),
        ):
            self.control("records", {"entity": entity, "id": key, "values": {field: name}})

    def refuses_a_second_adjustment_of_a_date(self):
        self.control("modes", {"same_date": "duplicate_error"})

    def fails(self, verb, fault):
        method, path = self.PATHS[verb]
        self.control("faults", {**self.FAULTS[fault], "method": method, "path": path})

    def counted(self):
        assert self.budget.counted.used > 0
        return self.budget.counted.used

    def revokes_reading_contracts(self):
        self.control("rights", {"entity": "Contracts", "allowed": ["create", "update"]})

    def revokes_creating(self, noun):
        self.control("rights", {"entity": f"{noun}s", "allowed": ["query", "update"]})

    def adjustments_applied(self):
        return sum(
            1
            for each in self.control("journal")["adjustments"]
            if each["outcome"] == "applied" and each["origin"] == "api"
        )

    def bills_the_charges_of(self, day):
        self.control("post", {"contract": CONTRACT, "period": str(day)})

    def control(self, path, body=None):
        response = requests.request(
            "GET" if body is None else "POST", f"{self.url}/_control/{path}", json=body, timeout=20
        )
        assert response.status_code == 200, response.text
        return response.json()


@contextmanager
def sandbox(folder, settings, **options):
    """A running stand-in that the settings point at."""
    server = AutotaskServer(folder, databases=options.pop("databases", None) or [database()], **options)
    server.start()
    settings.AUTOTASK_ZONE_URL = f"{server.url}/atservicesrest/v1.0/zoneInformation"
    try:
        yield server
    finally:
        server.stop()
