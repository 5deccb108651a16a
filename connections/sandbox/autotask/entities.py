"""The entities that the Autotask stand-in serves: their names, verbs, fields, and their tables in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import catalogue_fields, contract_fields
from .fields import Field, parse_fields

USER_DEFINED = "userDefinedFields"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity. `name` is its place in a URL; `child` its place below /Contracts/{id}, where it is written.

    `modified` is the field in which Autotask keeps when a record was last changed; lines and unit rows have none.
    """

    name: str
    singular: str
    fields: Mapping[str, Field]
    verbs: frozenset[str]
    child: str = ""
    root_create: bool = False
    user_defined: bool = False
    hidden: tuple[str, ...] = ()
    modified: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def can(self, verb: str) -> bool:
        return verb in self.verbs

    def find(self, name: str) -> Field | None:
        """The field of that name, whatever its letter case."""
        return self.fields.get(name) or next((f for f in self.fields.values() if f.name.lower() == name.lower()), None)

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.fields, *self.hidden)

    def schema(self) -> str:
        """The entity's table. Ids are never used twice."""
        columns = ["id INTEGER PRIMARY KEY AUTOINCREMENT"]
        columns += [f'"{f.name}" {f.column_type}' for f in self.fields.values() if f.name != "id"]
        columns += [f'"{name}" TEXT' for name in self.hidden]
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" ({", ".join(columns)});'


def _entity(name: str, singular: str, table: str, verbs: str, **more: Any) -> Entity:
    fields = {parsed.name: parsed for parsed in parse_fields(table)}
    return Entity(name=name, singular=singular, fields=fields, verbs=frozenset(verbs.split()), **more)


_ALL = (
    _entity(
        "Companies",
        "Company",
        catalogue_fields.COMPANY,
        "create query update",
        root_create=True,
        modified="lastTrackedModifiedDateTime",
        user_defined=True,
        defaults={"isActive": 1, "isTaxExempt": 0, "invoiceNonContractItemsToParentCompany": 0},
    ),
    _entity(
        "Contracts",
        "Contract",
        contract_fields.CONTRACT,
        "create query update",
        root_create=True,
        modified="lastModifiedDateTime",
        user_defined=True,
        defaults={"isCompliant": 0, "isDefaultContract": 0},
    ),
    _entity(
        "Services",
        "Service",
        catalogue_fields.SERVICE,
        "create query update",
        root_create=True,
        modified="lastModifiedDate",
        user_defined=True,
        defaults={"isActive": 1},
    ),
    _entity(
        "Products",
        "Product",
        catalogue_fields.PRODUCT,
        "create query update",
        root_create=True,
        user_defined=True,
    ),
    _entity(
        "ContractServices",
        "ContractService",
        contract_fields.CONTRACT_SERVICE,
        "create query update",
        child="Services",
    ),
    _entity(
        "ContractServiceAdjustments",
        "ContractServiceAdjustment",
        contract_fields.CONTRACT_SERVICE_ADJUSTMENT,
        "create",
        child="ServiceAdjustments",
        root_create=True,
        hidden=("origin", "askedDate", "outcome", "madeAt"),
    ),
    _entity(
        "ContractServiceUnits",
        "ContractServiceUnit",
        contract_fields.CONTRACT_SERVICE_UNIT,
        "query",
        child="ServiceUnits",
        hidden=("unitPrice", "unitCost"),
    ),
    _entity(
        "ContractCharges",
        "ContractCharge",
        contract_fields.CONTRACT_CHARGE,
        "create query update delete",
        child="Charges",
        defaults={"isBilled": 0, "isBillableToCompany": 1, "status": 1},
    ),
    _entity("ContractNotes", "ContractNote", contract_fields.CONTRACT_NOTE, "create query update", child="Notes"),
    _entity("BillingCodes", "BillingCode", catalogue_fields.BILLING_CODE, "query"),
    _entity("BillingItems", "BillingItem", contract_fields.BILLING_ITEM, "query update"),
    _entity("Currencies", "Currency", catalogue_fields.CURRENCY, "query update", modified="lastModifiedDateTime"),
    _entity("Resources", "Resource", catalogue_fields.RESOURCE, "query"),
)

ENTITIES: dict[str, Entity] = {entity.name: entity for entity in _ALL}
BY_LOWER_NAME: dict[str, Entity] = {entity.name.lower(): entity for entity in _ALL}
BY_SINGULAR: dict[str, Entity] = {entity.singular: entity for entity in _ALL}
BY_CHILD: dict[str, Entity] = {entity.child.lower(): entity for entity in _ALL if entity.child}

_INDEXED = (
    ("Contracts", "companyID"),
    ("ContractServices", "contractID"),
    ("ContractServiceAdjustments", "contractServiceID"),
    ("ContractServiceUnits", "contractServiceID"),
    ("ContractServiceUnits", "contractID"),
    ("ContractCharges", "contractID"),
    ("ContractNotes", "contractID"),
    ("BillingItems", "contractID"),
)

SCHEMA = (
    "".join(entity.schema() for entity in _ALL)
    + "".join(f'CREATE INDEX IF NOT EXISTS "{t}_{c}" ON "{t}" ("{c}");' for t, c in _INDEXED)
    + """
CREATE TABLE IF NOT EXISTS user_defined (
    entity TEXT NOT NULL, parent INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, value TEXT,
    PRIMARY KEY (entity, parent, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS separate_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, contract INTEGER NOT NULL, line INTEGER NOT NULL, adjustment INTEGER NOT NULL,
    day TEXT NOT NULL, units INTEGER NOT NULL, unit_price TEXT NOT NULL, unit_cost TEXT NOT NULL, part TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS user_defined_value ON user_defined (entity, name, value);
"""
)


def described(entity: Entity, access: Mapping[str, bool]) -> dict[str, Any]:
    """The entity information: what the entity offers, and what of it the caller may use."""
    may = {verb: "All" if entity.can(verb) and access[verb] else "None" for verb in access}
    return {
        "name": entity.singular,
        **{f"can{verb.capitalize()}": entity.can(verb) for verb in ("create", "delete", "query", "update")},
        **{f"userAccessFor{verb.capitalize()}": may[verb] for verb in ("create", "delete", "query", "update")},
        "hasUserDefinedFields": entity.user_defined,
        "supportsWebhookCallouts": entity.name == "Companies",
    }
