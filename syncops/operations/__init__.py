"""The kinds of operation: one file each, pure. Adding one is its file, its line in REGISTRY, and its test."""

from syncops.operations import (
    cancel,
    change_billing_cycle,
    change_details,
    change_margins,
    change_price,
    change_quantity,
    change_reseller,
    charge_azure_month,
    charge_shortfall,
    end_mapping,
    exclude_units,
    extend_contract,
    map_subscription,
    migrate,
    reactivate_azure_plan,
    reactivate_licence,
    receive_upgrade,
    renew,
    set_azure_month,
    suspend_azure_plan,
    suspend_licence,
    undo,
    upgrade,
    zero_azure_price,
)
from syncops.operations.base import Kind

REGISTRY: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        map_subscription.KIND,
        change_quantity.KIND,
        change_price.KIND,
        change_margins.KIND,
        cancel.KIND,
        suspend_licence.KIND,
        reactivate_licence.KIND,
        suspend_azure_plan.KIND,
        reactivate_azure_plan.KIND,
        change_billing_cycle.KIND,
        upgrade.KIND,
        receive_upgrade.KIND,
        renew.KIND,
        change_reseller.KIND,
        migrate.KIND,
        change_details.KIND,
        set_azure_month.KIND,
        zero_azure_price.KIND,
        charge_azure_month.KIND,
        charge_shortfall.KIND,
        extend_contract.KIND,
        end_mapping.KIND,
        exclude_units.KIND,
        undo.KIND,
    )
}
BEGIN_LINES = frozenset(name for name, kind in REGISTRY.items() if kind.begins_line)


def label_of(kind: str) -> str:
    """The words for a kind on screen; a kind of another version of the product is shown by its name."""
    return REGISTRY[kind].label if kind in REGISTRY else kind
