"""Every right that the product needs in Autotask, checked without side effects by what the API says about itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.psa.autotask import translate
from connections.psa.autotask.advice import SECURITY_LEVELS
from connections.psa.autotask.api import Api, Description, Row
from connections.psa.errors import Why, why
from connections.psa.types import ProbeResult
from portal.far_side import Rejected, Unauthorized

VERBS = {
    "query": ("canQuery", "userAccessForQuery"),
    "create": ("canCreate", "userAccessForCreate"),
    "update": ("canUpdate", "userAccessForUpdate"),
}
NOTHING_ALLOWED = {possible: False for possible, _ in VERBS.values()}


@dataclass(frozen=True, slots=True)
class Need:
    """A right: the entity and the verb that the API checks, the fields that are read or written, and what to allow.

    `without`: what does not work where it is missing, for a right that only some policies need.
    """

    words: str
    entity: str
    verb: str
    allow: str
    fields: Sequence[str] = ()
    without: str = ""


VIEW, EDIT = "Contracts: View: All", "Contracts: Edit: All"
ADJUSTED = ("contractServiceID", "effectiveDate", "unitChange", "adjustedUnitPrice", "adjustedUnitCost")
NEEDS = (
    Need("Read companies", "Companies", "query", "CRM: Organizations & Contacts, View: All", translate.COMPANY_FIELDS),
    Need("Read contracts", "Contracts", "query", VIEW, translate.CONTRACT_FIELDS),
    Need("Read services", "Services", "query", "Admin: Products & Services", translate.SERVICE_FIELDS),
    Need("Read the services of contracts", "ContractServices", "query", VIEW, translate.LINE_FIELDS),
    Need("Put services on contracts", "ContractServices", "create", EDIT),
    Need("Change units and prices", "ContractServiceAdjustments", "create", EDIT, ADJUSTED),
    Need("Read units and billing periods", "ContractServiceUnits", "query", VIEW, translate.UNIT_FIELDS),
    Need(
        "Know the currencies of companies",
        "Currencies",
        "query",
        "Admin: Currencies",
        without="the currency of a company is not checked before a subscription is mapped to its contract",
    ),
    Need(
        "Change the end of contracts",
        "Contracts",
        "update",
        EDIT,
        without="a renewal does not extend its contract, whatever the policy says",
    ),
    Need("Put charges on contracts", "ContractCharges", "create", EDIT, without="nothing is billed as a charge"),
    Need("Find charges again", "ContractCharges", "query", VIEW, without="nothing is billed as a charge"),
    Need(
        "Read billing codes",
        "BillingCodes",
        "query",
        "Admin: Billing Codes",
        without="no billing code can be chosen for charges",
    ),
)
LABELS = (
    ("Companies", "companyType", ("Customer",), "Know which companies are customers"),
    ("Contracts", "contractType", ("Recurring Service",), "Know which contracts hold services"),
    ("Contracts", "contractPeriodType", ("Monthly", "Yearly"), "Know the billing periods of contracts"),
    ("Services", "periodType", ("Monthly", "Yearly"), "Know the billing periods of services"),
)


def probe(api: Api) -> Sequence[ProbeResult]:
    """One result per right. Raises Unauthorized or Unavailable at the first request that fails so, and asks no more."""
    information: dict[str, Row] = {}
    for need in NEEDS:
        if need.entity not in information:
            information[need.entity] = _information(api, need, signed_in=bool(information))
    described = dict.fromkeys([*(need.entity for need in NEEDS if need.fields), *(entity for entity, *_ in LABELS)])
    descriptions = {entity: _description(api, entity) for entity in described}
    return [
        *(_result(need, information[need.entity], descriptions.get(need.entity)) for need in NEEDS),
        *(_labelled(descriptions[entity], name, labels, words) for entity, name, labels, words in LABELS),
    ]


def _information(api: Api, need: Need, *, signed_in: bool) -> Row:
    """What may be done with the entity; nothing where even that may not be asked.

    Some zones answer 401 where a right is missing: once another entity has answered, it cannot be the credentials.
    """
    try:
        return api.information(need.entity)
    except Rejected as error:
        if why(error) is not Why.MISSING_RIGHT and not need.without:
            raise
    except Unauthorized:
        if not signed_in:
            raise
    return NOTHING_ALLOWED


def _description(api: Api, entity: str) -> Description | None:
    try:
        return api.description(entity, fresh=True)
    except Rejected:
        return None


def _result(need: Need, information: Row, description: Description | None) -> ProbeResult:
    possible, access = VERBS[need.verb]
    level = str(information.get(access) or "All")
    granted = bool(information.get(possible, True)) and level != "None"
    known = description.fields if description else frozenset()
    hidden = [name for name in need.fields if known and name not in known]
    if granted and not hidden:
        partly = "Autotask shows this user only some of them (Restricted)." if level == "Restricted" else ""
        return ProbeResult(need.words, True, partly, bool(need.without))
    lacks = f"Without it {need.without}. " if need.without else ""
    if granted:
        lacks += f"Autotask does not show this user the fields {', '.join(hidden)} of {need.entity}. "
    advice = f"{lacks}In Autotask, open {SECURITY_LEVELS}, and allow {need.allow}."
    return ProbeResult(need.words, False, advice, bool(need.without))


def _labelled(description: Description | None, name: str, labels: Sequence[str], words: str) -> ProbeResult:
    known = set(description.labels.get(name, {}).values()) if description else set()
    missing = [label for label in labels if label not in known]
    if not missing:
        return ProbeResult(words, True)
    advice = f"Autotask's list {name} has no entry {' or '.join(missing)}. Its entries: {', '.join(sorted(known))}."
    return ProbeResult(words, False, advice)
