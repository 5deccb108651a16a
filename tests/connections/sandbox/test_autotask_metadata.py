"""The stand-in's fields, held against the vendor's metadata and specification where they are at hand."""

import json
from pathlib import Path

import pytest

from connections.sandbox.autotask.entities import ENTITIES, USER_DEFINED

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference"
NAMES_OF_OLD = {"Account": "Company", "AllocationCode": "BillingCode", "ContractCost": "ContractCharge"}
# What the vendor's help and live tenants tell otherwise than its metadata of 2021.
KNOWN_BETTER = {("Company", "currencyID"), ("ContractCharge", "contractID"), ("ContractCharge", "status")}
DESCRIBED = [entity for entity in ENTITIES.values() if entity.name != "Resources"]

pytestmark = pytest.mark.skipif(
    not REFERENCE.exists(), reason=f"the vendor's metadata are missing: they belong at {REFERENCE}"
)


def load(name):
    return json.loads((REFERENCE / f"autotask-{name}.json").read_text())


def properties(entity):
    """The names that the vendor's model has, those of 2026 among them."""
    model = f"{entity.singular}Model"
    named = {*load("openapi")["definitions"][model]["properties"], *load("openapi-2026-deltas")["added"].get(model, {})}
    return named - {USER_DEFINED, "soapParentPropertyId"}


@pytest.mark.parametrize("entity", DESCRIBED, ids=lambda entity: entity.name)
def test_an_entity_has_every_property_of_the_vendors_model_and_no_other(entity):
    assert set(entity.fields) == properties(entity)


@pytest.mark.parametrize("entity", DESCRIBED, ids=lambda entity: entity.name)
def test_a_field_is_what_the_vendors_metadata_say(entity):
    for told in load("field-metadata")["entities"][entity.singular]["fields"]:
        field = entity.fields.get(told["name"])
        if field is None or field.name == "id" or "queryable" not in told:
            continue
        assert field.queryable is told["queryable"], field
        assert field.required is told["required"], field
        assert field.picklist is told["picklist"], field
        assert field.reference == NAMES_OF_OLD.get(told["reference"], told["reference"] or ""), field
        if (entity.singular, field.name) not in KNOWN_BETTER:
            assert (field.read_only or field.fixed) is told["readOnly"], field
        if field.type == "str":
            assert field.length == told["length"], field
