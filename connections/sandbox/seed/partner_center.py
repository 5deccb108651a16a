"""Everything the Partner Center stand-in starts with, as plain documents in Partner Center's own shapes."""

from datetime import date
from typing import Any

from ..partner_center import documents
from .credentials import DEMO_PARTNER_CENTER
from .identity import guid, spread
from .names import CURRENCIES, CUSTOMERS, PROVIDER, RESELLERS, SYMBOLS, Customer, Partner
from .prices import price_sheets, promotions
from .products import legacy_offers, products
from .purchases import BOUGHT
from .subscriptions import holding

MARKETS = ("NL", "GB", "US")
"""One for each currency: markets of one currency share their price sheets."""


def partner_center_data(today: date) -> dict[str, Any]:
    """The partner's tenant as it stands on `today`.

    application    what the login service knows: the demonstration's credentials
    organizations  {"provider": {...}, "resellers": [PartnerRelationship]}
    customers      [Customer], as by id: with billingProfile; `associatedPartnerId` is the reseller's tenant
    catalogue      {"products": [Product with "skus" with "availabilities"], "legacyOffers": [Offer]}
    markets        {country: {"currency", "symbol"}}
    prices         {market: {view: [price sheet row]}}; all values are text, amounts per unit and billing period
    promotions     [Promotion]
    subscriptions  {customer id: [Subscription]}
    orders         {customer id: [Order]}
    qualifications {customer id: ["education" or "government"]}
    entitlements   {subscription id of an Azure plan: [Azure entitlement]}
    """
    holdings = {
        customer.tenant_id: [
            holding(customer, number, bought, today) for number, bought in enumerate(BOUGHT[customer.key], start=1)
        ]
        for customer in CUSTOMERS
    }
    return {
        "application": dict(DEMO_PARTNER_CENTER),
        "organizations": {
            "provider": _provider(PROVIDER),
            "resellers": [_relationship(reseller) for reseller in RESELLERS],
        },
        "customers": [_customer(customer) for customer in CUSTOMERS],
        "catalogue": {"products": products(PROVIDER.country), "legacyOffers": legacy_offers()},
        "markets": {
            country: {"currency": currency, "symbol": SYMBOLS[currency]} for country, currency in CURRENCIES.items()
        },
        "prices": {market: price_sheets(market, today) for market in MARKETS},
        "promotions": promotions(today),
        "subscriptions": {owner: [held.subscription for held in all_held] for owner, all_held in holdings.items()},
        "orders": {owner: [held.order for held in all_held] for owner, all_held in holdings.items()},
        "qualifications": {
            customer.tenant_id: [customer.segment] for customer in CUSTOMERS if customer.segment != "commercial"
        },
        "entitlements": {
            held.subscription["id"]: list(held.entitlements)
            for all_held in holdings.values()
            for held in all_held
            if held.entitlements
        },
    }


def _provider(partner: Partner) -> dict[str, Any]:
    return {
        "id": partner.tenant_id,
        "name": partner.name,
        "mpnId": partner.mpn,
        "domain": partner.domain,
        "location": partner.country,
    }


def _relationship(partner: Partner) -> dict[str, Any]:
    return {
        "id": partner.tenant_id,
        "name": partner.name,
        "relationshipType": "is_indirect_cloud_solution_provider_of",
        "state": "Active",
        "mpnId": partner.mpn,
        "location": partner.country,
        "attributes": {"objectType": "PartnerRelationship"},
    }


def _customer(customer: Customer) -> dict[str, Any]:
    own = f"/customers/{customer.tenant_id}"
    email = f"admin@{customer.domain}"
    document: dict[str, Any] = {
        "id": customer.tenant_id,
        "commerceId": guid(f"commerce/{customer.key}"),
        "companyProfile": {
            "tenantId": customer.tenant_id,
            "domain": customer.domain,
            "companyName": customer.name,
            "address": {"region": "", **_address(customer)},
            "email": email,
            "links": {"self": documents.link(f"{own}/profiles/company")},
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "billingProfile": {
            "id": guid(f"billing/{customer.key}"),
            "firstName": customer.contact[0],
            "lastName": customer.contact[1],
            "email": email,
            "culture": "en-GB" if customer.country in ("GB", "IE") else f"nl-{customer.country}",
            "language": "en",
            "companyName": customer.name,
            "defaultAddress": _address(customer)
            | {"state": "", "firstName": customer.contact[0], "lastName": customer.contact[1]},
            "links": {"self": documents.link(f"{own}/profiles/billing")},
            "attributes": {
                "etag": str(-1_000_000_000_000_000_000 - spread(customer.key, 4_000_000_000)),
                "objectType": "CustomerBillingProfile",
            },
        },
        "relationshipToPartner": "reseller",
        "allowDelegatedAccess": True,
        "customDomains": [customer.domain],
        "links": {"self": documents.link(own)},
        "attributes": {"objectType": "Customer"},
    }
    if customer.reseller:
        document["associatedPartnerId"] = next(
            reseller.tenant_id for reseller in RESELLERS if reseller.key == customer.reseller
        )
    return document


def _address(customer: Customer) -> dict[str, Any]:
    return {
        "country": customer.country,
        "city": customer.city,
        "addressLine1": customer.street,
        "postalCode": customer.postal_code,
        "phoneNumber": f"+{spread(customer.key, 900_000_000) + 31_100_000_000}",
    }
