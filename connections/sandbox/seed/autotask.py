"""The two Autotask databases: the CSP's own in euros, and one reseller's in pounds."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from . import companies, contracts, services
from .credentials import DEMO_AUTOTASK, DEMO_AUTOTASK_RESELLER
from .names import HARBOURLINE, PROVIDER

MATERIAL_USE, RECURRING_USE = 4, 5


def autotask_databases(today: date) -> list[dict[str, Any]]:
    """What the ledger of the Autotask stand-in is loaded with; its shape is described at the top of `sandbox.store`."""
    return [
        _database(
            DEMO_AUTOTASK,
            name=PROVIDER.name,
            zone="Sandbox EU",
            currencies=(("EUR", "Euro", "1"), ("GBP", "Pound sterling", "0.87")),
            companies=companies.provider_companies(),
            services=services.PROVIDER_SERVICES,
            contracts=contracts.PROVIDER_CONTRACTS,
            lines=contracts.PROVIDER_LINES,
            today=today,
        ),
        _database(
            DEMO_AUTOTASK_RESELLER,
            name=HARBOURLINE.name,
            zone="Sandbox UK",
            currencies=(("GBP", "Pound sterling", "1"),),
            companies=companies.reseller_companies(),
            services=services.RESELLER_SERVICES,
            contracts=contracts.RESELLER_CONTRACTS,
            lines=contracts.RESELLER_LINES,
            today=today,
        ),
    ]


def _database(
    credentials: Mapping[str, str],
    *,
    name: str,
    zone: str,
    currencies: tuple[tuple[str, str, str], ...],
    companies: list[dict[str, Any]],
    services: Iterable[services.Service],
    contracts: Iterable[contracts.Contract],
    lines: Iterable[contracts.Line],
    today: date,
) -> dict[str, Any]:
    currency = credentials["currency"]
    return {
        "key": credentials["database"],
        "name": name,
        "currency": currency,
        "zone": zone,
        "users": [{field: credentials[field] for field in ("user_name", "secret", "integration_code")}],
        "currencies": [_currency(number, *row) for number, row in enumerate(currencies, start=1)],
        "companies": companies,
        "services": [service.as_entity(currency) for service in services],
        "contracts": [contract.as_entity(today) for contract in contracts],
        "lines": [line.as_entity(today, currency) for line in lines],
        "billing_codes": _billing_codes(),
        "user_defined_fields": {"Contracts": ["Subscription ID"], "Companies": ["Microsoft Tenant ID"]},
    }


def _currency(number: int, code: str, description: str, rate: str) -> dict[str, Any]:
    """`rate`: units of that currency for one unit of the database's own; the first currency is its own."""
    return {
        "id": number,
        "name": code,
        "description": description,
        "exchangeRate": rate,
        "isActive": True,
        "isInternalCurrency": number == 1,
    }


def _billing_codes() -> list[dict[str, Any]]:
    rows = (
        (services.RECURRING_CODE, "Recurring Microsoft services", RECURRING_USE, "594"),
        (29683402, "Microsoft cloud charges", MATERIAL_USE, "595"),
        (29683403, "Azure consumption", MATERIAL_USE, "596"),
    )
    return [
        {
            "id": number,
            "name": name,
            "useType": use,
            "externalNumber": external,
            "billingCodeType": 0,
            "isActive": True,
            "unitCost": "0",
            "unitPrice": "0",
        }
        for number, name, use, external in rows
    ]
