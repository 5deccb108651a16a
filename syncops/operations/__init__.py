"""The kinds of operation: one file each, pure. Adding one is its file, its line in REGISTRY, and its test."""

from syncops.operations import change_quantity, map_subscription
from syncops.operations.base import Kind

REGISTRY: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        map_subscription.KIND,
        change_quantity.KIND,
    )
}
BEGIN_LINES = frozenset(name for name, kind in REGISTRY.items() if kind.begins_line)


def label_of(kind: str) -> str:
    """The words for a kind on screen; a kind of another version of the product is shown by its name."""
    return REGISTRY[kind].label if kind in REGISTRY else kind
