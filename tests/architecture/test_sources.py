"""What import-linter cannot see."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("portal", "connections", "mappings", "syncops")
ALL = [file for app in APPS for file in sorted((settings.BASE_DIR / app).rglob("*.py"))]
SOURCES = [
    file for file in ALL if not {"migrations", "sandbox"} & set(file.parts)
]  # the stand-ins have words of their own
DOORWAY = settings.BASE_DIR / "portal" / "queue.py"


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_one_file_alone_imports_the_queue():
    assert [file for file in SOURCES if "django_q" in imported(file)] == [DOORWAY]


@pytest.mark.parametrize("name", ["utils", "helpers", "services", "managers"])
def test_no_file_is_named_after_nothing(name):
    assert [file for file in SOURCES if file.stem == name] == []


def test_nothing_happens_behind_a_save():
    """No signals of models, no `save` of our own: what a change brings with it stands where the change is made."""
    found = []
    for file in SOURCES:
        text = file.read_text()
        behind = ("post_save", "pre_save", "post_delete", "pre_delete", "def save(self")
        found += [f"{file}: {word}" for word in behind if word in text]
    assert found == []
