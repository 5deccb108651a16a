"""Every right that the product needs in Autotask, checked without side effects by what the API says about itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.psa.autotask.advice import SECURITY_LEVELS
from connections.psa.autotask.api import Api, Description, Row
from connections.psa.errors import Why, why
from connections.psa.types import ProbeResult
from portal.far_side import Rejected

VERBS = {"query": ("canQuery", "userAccessForQuery"), "create": ("canCreate", "userAccessForCreate")}


@dataclass(frozen=True, slots=True)
class Need:
    """A right: the entity and the verb that the API checks, and what to allow in the security level."""

    words: str
    entity: str
    verb: str
    allow: str


NEEDS = (
    Need("Read companies", "Companies", "query", "CRM: Organizations & Contacts, View: All"),
    Need("Read contracts", "Contracts", "query", "Contracts: View: All"),
    Need("Read services", "Services", "query", "Admin: Products & Services"),
    Need("Read the services of contracts", "ContractServices", "query", "Contracts: View: All"),
    Need("Put services on contracts", "ContractServices", "create", "Contracts: Edit: All"),
    Need("Change units and prices", "ContractServiceAdjustments", "create", "Contracts: Edit: All"),
    Need("Read units and billing periods", "ContractServiceUnits", "query", "Contracts: View: All"),
)
LABELS = (
    ("Companies", "companyType", ("Customer",), "Know which companies are customers"),
    ("Contracts", "contractType", ("Recurring Service",), "Know which contracts hold services"),
    ("Contracts", "contractPeriodType", ("Monthly", "Yearly"), "Know the billing periods of contracts"),
    ("Services", "periodType", ("Monthly", "Yearly"), "Know the billing periods of services"),
)


def probe(api: Api) -> Sequence[ProbeResult]:
    """One result per right. Raises Unauthorized or Unavailable at the first request that fails so, and asks no more."""
    information = {entity: _information(api, entity) for entity in dict.fromkeys(need.entity for need in NEEDS)}
    descriptions = {entity: _description(api, entity) for entity in dict.fromkeys(entity for entity, *_ in LABELS)}
    return [
        *(_result(need, information[need.entity]) for need in NEEDS),
        *(_labelled(descriptions[entity], name, labels, words) for entity, name, labels, words in LABELS),
    ]


def _information(api: Api, entity: str) -> Row:
    try:
        return api.information(entity)
    except Rejected as error:
        if why(error) is not Why.MISSING_RIGHT:
            raise
        return {"canQuery": False, "canCreate": False}


def _description(api: Api, entity: str) -> Description | None:
    try:
        return api.description(entity, fresh=True)
    except Rejected:
        return None


def _result(need: Need, information: Row) -> ProbeResult:
    possible, access = VERBS[need.verb]
    level = str(information.get(access) or "All")
    granted = bool(information.get(possible, True)) and level != "None"
    if not granted:
        return ProbeResult(need.words, False, f"In Autotask, open {SECURITY_LEVELS}, and allow {need.allow}.")
    if level == "Restricted":
        return ProbeResult(need.words, True, "Autotask shows this user only some of them (Restricted).")
    return ProbeResult(need.words, True)


def _labelled(description: Description | None, name: str, labels: Sequence[str], words: str) -> ProbeResult:
    known = set(description.labels.get(name, {}).values()) if description else set()
    missing = [label for label in labels if label not in known]
    if not missing:
        return ProbeResult(words, True)
    advice = f"Autotask's list {name} has no entry {' or '.join(missing)}. Its entries: {', '.join(sorted(known))}."
    return ProbeResult(words, False, advice)
