"""A caller of a running Partner Center stand-in, for the tests: signed in, with the control endpoints at hand."""

import json
from datetime import date

import requests

from connections.sandbox.partner_center.server import PartnerCenterServer
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from connections.sandbox.seed.catalogue import BY_KEY as OFFERS
from connections.sandbox.seed.identity import guid
from connections.sandbox.seed.names import BY_KEY as CUSTOMERS

TODAY = date(2026, 3, 18)
NOON = "2026-03-18T12:00:00+00:00"
API = "https://api.partnercenter.microsoft.com"
NOORDZEE = CUSTOMERS["noordzee-logistics"].tenant_id
CARTS = f"/customers/{NOORDZEE}/carts"


class PartnerCenter:
    """`with PartnerCenter(folder) as far_side`: it is noon of TODAY there."""

    def __init__(self, folder, **options):
        self.server = PartnerCenterServer(folder, today=TODAY, **options)
        self.session = requests.Session()
        self.url = self.server.url

    def __enter__(self):
        self.server.start()
        self.control("clock", {"now": NOON})
        self.sign_in()
        return self

    def __exit__(self, *error):
        self.session.close()
        self.server.stop()

    def token(self, *, v2=False, tenant=DEMO_PARTNER_CENTER["tenant_id"], **form):
        form = {
            "client_id": DEMO_PARTNER_CENTER["client_id"],
            "client_secret": DEMO_PARTNER_CENTER["client_secret"],
            "grant_type": "refresh_token",
            "refresh_token": DEMO_PARTNER_CENTER["refresh_token"],
            "resource": API,
            "scope": f"{API}/.default",
        } | form
        return self.session.post(f"{self.url}/{tenant}/oauth2/{'v2.0/' if v2 else ''}token", data=form)

    def sign_in(self, **form):
        access_token = read(self.token(**form))["access_token"]
        self.session.headers["Authorization"] = f"Bearer {access_token}"

    def get(self, path, **options):
        return self.session.get(f"{self.url}/v1{path}", **options)

    def patch(self, path, body, **options):
        return self.session.patch(f"{self.url}/v1{path}", json=body, **options)

    def post(self, path, body=None, **options):
        return self.session.post(f"{self.url}/v1{path}", json=body, **options)

    def control(self, path, body=None):
        method = "GET" if body is None else "POST"
        response = self.session.request(method, f"{self.url}/_control/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def advance(self, **by):
        self.control("clock", {f"advance_{unit}": amount for unit, amount in by.items()})

    def travel_to(self, moment):
        """Move the clock and sign in again, for tokens end within the hour."""
        self.control("clock", {"now": f"{moment}+00:00"})
        self.sign_in()

    def cart(self, *lines, **more):
        """A new cart of Noordzee Logistics."""
        return read(self.post(CARTS, {"lineItems": list(lines)} | more))

    def checkout(self, *lines, **more):
        """The result of checking out a cart with these lines."""
        return read(self.post(f"{CARTS}/{self.cart(*lines, **more)['id']}/checkout"))

    def change(self, path, **members):
        """PATCH as a careful client does: the whole resource, with some members changed."""
        return self.patch(path, read(self.get(path)) | members)


def read(response):
    """The body of a success, with or without a byte order mark."""
    assert response.ok, response.text
    return json.loads(response.content.decode("utf-8-sig"))


def code(response):
    """(status, code) of a refusal."""
    body = json.loads(response.content.decode("utf-8-sig"))
    assert set(body) == {"code", "description", "data", "source"}
    return response.status_code, body["code"]


def subscription_path(customer, number):
    """The `number`-th subscription in the seed's table of that customer."""
    return f"/customers/{CUSTOMERS[customer].tenant_id}/subscriptions/{guid(f'subscription/{customer}/{number}')}"


def line(offer, quantity, term="P1Y", cycle="monthly", **more):
    """A line of a cart."""
    body = {"catalogItemId": OFFERS[offer].catalog_item_id, "quantity": quantity, "billingCycle": cycle}
    return body | ({"termDuration": term} if term else {}) | more
