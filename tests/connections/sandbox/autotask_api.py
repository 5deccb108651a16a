"""A caller of the Autotask stand-in for tests, and a small database to call it about.

Contract 70 is monthly from the 1st of January 2026 to the end of the year; its line 90 holds 10 units at 5.00 from the
1st of May on. It is the 15th of May 2026.
"""

import copy
from decimal import Decimal

import requests

TODAY = "2026-05-15"
USER = {"user_name": "api@example.com", "secret": "right", "integration_code": "TRACK"}
CONTRACT = {"contractType": 7, "status": 1, "timeReportingRequiresStartAndStopTimes": 0}
CONTRACT |= {"startDate": "2026-01-01", "endDate": "2026-12-31", "contractPeriodType": 2}

DATABASE = {
    "key": "main",
    "name": "Northwind Cloud",
    "currency": "EUR",
    "zone": "EU",
    "users": [USER],
    "companies": [
        {"id": 0, "companyName": "Northwind Cloud", "companyType": 1, "phone": "0"},
        {"id": 10, "companyName": "Müller Bau GmbH", "companyNumber": "A-1", "companyType": 1, "phone": "1"},
        {"id": 11, "companyName": "Contoso 100% B.V.", "companyType": 1, "phone": "1", "isActive": False},
        {"id": 12, "companyName": "Vendor", "companyType": 6, "phone": "1"},
    ],
    "billing_codes": [
        {"id": 20, "name": "Recurring", "isActive": True, "useType": 5, "unitPrice": 0, "unitCost": 0},
        {"id": 21, "name": "Material", "isActive": True, "useType": 4, "unitPrice": 3, "unitCost": 2},
    ],
    "services": [
        {"id": 30, "name": "Basic", "unitPrice": 5, "unitCost": 4, "periodType": 2, "billingCodeID": 20},
        {"id": 31, "name": "Premium", "unitPrice": "20.50", "unitCost": 16, "periodType": 2, "billingCodeID": 20},
        {"id": 32, "name": "Gone", "unitPrice": 1, "periodType": 2, "billingCodeID": 20, "isActive": False},
    ],
    "contracts": [
        {"id": 70, "companyID": 10, "contractName": "Monthly", **CONTRACT},
        {"id": 71, "companyID": 10, "contractName": "Hours", **CONTRACT, "contractType": 1},
        {"id": 72, "companyID": 11, "contractName": "Yearly", **CONTRACT, "contractPeriodType": 5},
    ],
    "lines": [
        {
            "id": 90,
            "contractID": 70,
            "serviceID": 30,
            "internalDescription": "sub-1",
            "units": [{"date": "2026-05-01", "unitChange": 10}],
        }
    ],
}


MODIFIED = {
    "companies": "lastTrackedModifiedDateTime",
    "services": "lastModifiedDate",
    "contracts": "lastModifiedDateTime",
}


def database(**changes):
    """The small database, everything last modified at New Year."""
    made = copy.deepcopy(DATABASE)
    for name, field in MODIFIED.items():
        made[name] = [{field: "2026-01-01"} | record for record in made[name]]
    return made | changes


class Api:
    """Calls the API and the control endpoints; the last answer stays in `last`."""

    def __init__(self, url, user=USER):
        self.url = url
        self.base = f"{url}/ATServicesRest/V1.0/"
        self.session = requests.Session()
        self.session.headers.update(
            {"UserName": user["user_name"], "Secret": user["secret"], "ApiIntegrationCode": user["integration_code"]}
        )
        self.session.headers["By-Hand"] = "test"  # kept apart from what the product sends

    def call(self, method, path, body=None, **options):
        url = path if path.startswith("http") else self.base + path
        self.last = self.session.request(method, url, json=body, timeout=20, **options)
        return self.last

    def get(self, path, **params):
        return self.call("GET", path, params=params)

    def post(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, body):
        return self.call("PATCH", path, body)

    def query(self, entity, *conditions, **more):
        return self.post(f"{entity}/query", {"filter": list(conditions), **more}).json()["items"]

    def find(self, entity, field, operator, value=None):
        """The ids of the matching records."""
        return [item["id"] for item in self.query(entity, {"field": field, "op": operator, "value": value})]

    def adjust(self, date, units=None, price=None, line=90, **more):
        body = {"contractServiceID": line, "effectiveDate": date, "unitChange": units, "adjustedUnitPrice": price}
        return self.post("ContractServiceAdjustments", {k: v for k, v in (body | more).items() if v is not None})

    def rows(self, line=90):
        """(start, units, unit price) of each row with units, as month-day."""
        ledger = self.control("ledger", line=line)
        rows = ledger["lines"][0]["rows"]
        return [(row["start"][5:], row["units"], Decimal(row["unit_price"])) for row in rows if row["units"]]

    def control(self, path, body=None, **params):
        """GET without a body, POST with one; the JSON of the answer, which must be a success."""
        method = "GET" if body is None else "POST"
        response = requests.request(method, f"{self.url}/_control/{path}", json=body, params=params, timeout=20)
        assert response.status_code == 200, response.text
        return response.json()

    def fault(self, name, path=".*", method=".*", **more):
        return self.control("faults", {"fault": name, "path": path, "method": method, **more})

    def errors(self):
        assert self.last.status_code == 500, self.last.text
        return " ".join(self.last.json()["errors"])

    def close(self):
        self.session.close()
