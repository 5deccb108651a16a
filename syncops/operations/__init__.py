"""The kinds of operation: one file each, pure. REGISTRY names them."""


def label_of(kind: str) -> str:
    """The words for a kind on screen."""
    return kind.replace("_", " ").capitalize()
