"""Filling a new ledger with the partner's tenant, in the shape that `sandbox.seed.partner_center` describes."""

from collections.abc import Mapping
from typing import Any

from . import subscription
from .ledger import Ledger
from .tokens import Login


def load(ledger: Ledger, login: Login, data: Mapping[str, Any]) -> None:
    """Everything in one transaction."""
    with ledger.writing():
        ledger.store.set_setting("provider", data["organizations"]["provider"])
        ledger.store.set_setting("markets", data["markets"])
        ledger.store.set_setting("last_audit", 0)
        login.load(data["application"])
        for reseller in data["organizations"]["resellers"]:
            ledger.put("reseller", reseller["id"], reseller)
        for customer in data["customers"]:
            ledger.put("customer", customer["id"], customer)
        for customer_id, names in data["qualifications"].items():
            ledger.put("qualifications", customer_id, {"names": names})
        _load_catalogue(ledger, data)
        _load_holdings(ledger, data)


def _load_catalogue(ledger: Ledger, data: Mapping[str, Any]) -> None:
    for product in data["catalogue"]["products"]:
        ledger.put("product", product["id"], product)
    for promotion in data["promotions"]:
        ledger.put("promotion", promotion["id"], promotion)
    views: set[str] = set()
    columns: list[str] = []
    for market, sheets in data["prices"].items():
        for view, rows in sheets.items():
            ledger.put("price_sheet", f"{data['markets'][market]['currency']}/{view}", {"rows": rows})
            views.add(view)
            columns = list(rows[0]) if rows else columns
    ledger.store.set_setting("price_views", sorted(views))
    ledger.store.set_setting("price_columns", columns)


def _load_holdings(ledger: Ledger, data: Mapping[str, Any]) -> None:
    for customer_id, held in data["subscriptions"].items():
        for document in held:
            stored = subscription.from_document(customer_id, document)
            ledger.put("subscription", stored.id, stored.as_json(), parent=customer_id)
    for customer_id, orders in data["orders"].items():
        for order in orders:
            ledger.put("order", order["id"], {"document": order}, parent=customer_id)
    for plan, entitlements in data["entitlements"].items():
        for entitlement in entitlements:
            ledger.put("entitlement", entitlement["id"], entitlement, parent=plan)
