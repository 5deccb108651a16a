"""The companies of the two Autotask databases: customers under names that nearly match, and everybody else."""

from typing import Any

from .identity import spread
from .names import CUSTOMERS, HARBOURLINE, LUMEN, PROVIDER, Customer

CUSTOMER, LEAD, PROSPECT, DEAD, CANCELLATION, VENDOR, PARTNER = range(1, 8)
OWNER = 0
OWN_CURRENCY, POUND = 1, 2

COMPANY_IDS = {
    customer.key: number
    for number, customer in enumerate((each for each in CUSTOMERS if not each.reseller), start=1001)
}
"""Direct customers in the provider's database: 1001 to 1015, in the order of `CUSTOMERS`."""

RESELLER_COMPANY_IDS = {
    customer.key: number
    for number, customer in enumerate((each for each in CUSTOMERS if each.reseller == HARBOURLINE.key), start=2001)
}
"""The reseller's customers in the reseller's database: 2001 to 2004."""

GROENE_HART_TWIN, NOORDZEE_PROSPECT, KLINIEK_OLD, FJORD_UK = 1031, 1032, 1033, 1034

_LOOKALIKES = (
    (GROENE_HART_TWIN, "Groene Hart Accountants", CUSTOMER, True, OWN_CURRENCY),
    (NOORDZEE_PROSPECT, "Noordzee Logistics B.V.", PROSPECT, True, OWN_CURRENCY),
    (KLINIEK_OLD, "Kliniek De Linde", CUSTOMER, False, OWN_CURRENCY),
    (FJORD_UK, "Fjord Analytics (UK) Limited", CUSTOMER, True, POUND),
    (1035, "Noordzee Logistics Antwerpen NV", CUSTOMER, True, OWN_CURRENCY),
    (1036, "Müller & Sohn Elektrotechnik GmbH", CUSTOMER, True, OWN_CURRENCY),
    (1037, "Gemeente Westerwolde-Oost", LEAD, True, OWN_CURRENCY),
    (1038, "Alpenrose Hotelbetriebe GmbH & Co KG", CANCELLATION, True, OWN_CURRENCY),
    (1039, "Café Lumière Événements", DEAD, False, OWN_CURRENCY),
)
_OTHERS = (
    (1061, "Cloud Distribution Benelux B.V.", VENDOR),
    (1062, "Polder Hardware Groothandel", VENDOR),
    (1063, f"{LUMEN.name} B.V.", PARTNER),
    (1064, f"{HARBOURLINE.name} Ltd", PARTNER),
    (1065, "Autobedrijf Hofstra", CUSTOMER),
    (1066, "Architectenbureau Vlierman", CUSTOMER),
    (1067, "Bibliotheek De Baronie", CUSTOMER),
    (1068, "Dierenkliniek Het Spoor", CUSTOMER),
    (1069, "Fysio Centrum Oost", CUSTOMER),
    (1070, "Grafisch Atelier Zwaan", CUSTOMER),
    (1071, "Kwekerij Van Rijn & Zn.", CUSTOMER),
    (1072, "Makelaardij Stadhouder", CUSTOMER),
    (1073, "Notariskantoor Bakema", CUSTOMER),
    (1074, "Rederij Zilvermeeuw", CUSTOMER),
    (1075, "Schildersbedrijf Tonen", CUSTOMER),
    (1076, "Theater De Kolk", CUSTOMER),
    (1077, "Uitvaartzorg Lindenhof", PROSPECT),
    (1078, "Wijnhandel Le Tonneau", PROSPECT),
    (1079, "Zorggroep Dommelvallei", PROSPECT),
    (1080, "Kinderopvang Pippeloen", LEAD),
    (1081, "Transport De Vos & Zonen", LEAD),
    (1082, "Bouwbedrijf Kamsteeg", DEAD),
)


def provider_companies() -> list[dict[str, Any]]:
    """The provider's own company, its direct customers, those who look like them, vendors, partners and prospects."""
    customers = [_customer(customer, COMPANY_IDS[customer.key]) for customer in CUSTOMERS if not customer.reseller]
    lookalikes = [
        _company(number, name, kind, active=active, currency=currency)
        for number, name, kind, active, currency in _LOOKALIKES
    ]
    others = [_company(number, name, kind) for number, name, kind in _OTHERS]
    return [_company(OWNER, PROVIDER.name, CUSTOMER), *customers, *lookalikes, *others]


def reseller_companies() -> list[dict[str, Any]]:
    """The reseller's own company with its four customers and a few more."""
    customers = [
        _customer(customer, RESELLER_COMPANY_IDS[customer.key])
        for customer in CUSTOMERS
        if customer.reseller == HARBOURLINE.key
    ]
    return [
        _company(OWNER, f"{HARBOURLINE.name} Ltd", CUSTOMER),
        *customers,
        _company(2031, "Pennine Outdoor Holdings Ltd", CUSTOMER),
        _company(2032, "Kestrel & Crow Interiors", PROSPECT),
        _company(2033, PROVIDER.name, VENDOR),
        _company(2034, "Mendip Cider Co.", CUSTOMER),
    ]


def _customer(customer: Customer, number: int) -> dict[str, Any]:
    return _company(number, customer.psa_name, CUSTOMER) | {
        "address1": customer.street,
        "city": customer.city,
        "postalCode": customer.postal_code,
        "webAddress": customer.domain,
    }


def _company(number: int, name: str, kind: int, *, active: bool = True, currency: int = OWN_CURRENCY) -> dict[str, Any]:
    return {
        "id": number,
        "companyName": name,
        "companyNumber": "" if number == OWNER else f"D{number}",
        "companyType": kind,
        "isActive": active,
        "ownerResourceID": 1,
        "phone": f"+31 {spread(name, 900_000_000) + 100_000_000}",
        "currencyID": currency,
    }
