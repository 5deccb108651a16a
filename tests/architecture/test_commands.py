"""What a newcomer types: every command explains itself, and what the documents name is there."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from portal.environment import KNOWN
from portal.management.output import JsonOption

ROOT = Path(__file__).resolve().parents[2]
APPS = ("portal", "connections", "mappings", "syncops")
OURS = sorted((app, name) for name, app in get_commands().items() if app in APPS)
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".env.example")


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def targets():
    """The targets of the Makefile that have a line in its help."""
    return set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize(("app", "name"), OURS)
def test_every_command_says_what_it_does(app, name):
    command = load_command_class(app, name)
    assert len(command.help) > 30
    assert command.help.rstrip().endswith(".")
    assert name in command.create_parser("manage.py", name).format_help()


@pytest.mark.parametrize(("app", "name"), OURS)
def test_every_command_answers_scripts(app, name):
    command = load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    assert isinstance(command, JsonOption) or "--json" in parser.format_help() or _has_json_below(parser)


def _has_json_below(parser):
    """Commands of commands take it on the inner ones."""
    inner = [action.choices.values() for action in parser._actions if isinstance(action.choices, dict)]
    return bool(inner) and all("--json" in one.format_help() for one in inner[0])


def test_help_lists_every_target():
    said = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in said.splitlines()} == targets()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_names_is_there(document):
    named = set(re.findall(r"manage\.py ([a-z_]+)", text_of(document)))
    assert named <= get_commands().keys()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_that_a_document_names_is_there(document):
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(document), flags=re.MULTILINE))
    assert named <= targets()


def test_the_readme_opens_with_the_two_commands():
    first_block = text_of("README.md").split("```")[1]
    assert re.findall(r"^make (\w+)", first_block, flags=re.MULTILINE) == ["demo", "test"]


def test_every_option_of_ours_that_the_readme_names_is_there():
    for app, name in OURS:
        parser = load_command_class(app, name).create_parser("manage.py", name)
        known = set(re.findall(r"--[a-z-]+", parser.format_help()))
        for action in parser._actions:
            for inner in action.choices.values() if isinstance(action.choices, dict) else ():
                known |= set(re.findall(r"--[a-z-]+", inner.format_help()))
        lines = re.findall(rf"manage\.py {name}\b((?:[^`\n]|\\\n)*)", text_of("README.md"))
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", " ".join(lines))) <= known, name


def settings_read():
    """The names that settings.py takes from the environment."""
    calls = [node for node in ast.walk(ast.parse(text_of("portal/settings.py"))) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "env"
    }


def test_the_example_environment_explains_every_setting_and_no_other():
    shown = re.findall(r"^#?([A-Z_]+)=", text_of(".env.example"), flags=re.MULTILINE)
    assert set(shown) == settings_read()


def test_every_setting_that_is_read_is_known():
    assert {name for name in settings_read() if name.startswith("PORTAL_")} == KNOWN


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_lock_files_carry_hashes_and_no_address(lock):
    text = text_of(lock)
    assert "://" not in text
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9-]+==", requirement), requirement.splitlines()[0]
        assert "--hash=sha256:" in requirement, requirement.splitlines()[0]


def test_what_runs_is_part_of_what_is_tested():
    """Both lock files hold the same versions of what the product needs."""
    versions = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
    assert versions.findall(text_of("requirements.txt")) == [
        pin
        for pin in versions.findall(text_of("requirements-dev.txt"))
        if f"\n{pin[0]}==" in "\n" + text_of("requirements.txt")
    ]
