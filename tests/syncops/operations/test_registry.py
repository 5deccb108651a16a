"""Every kind of operation is whole: named once, in words, with an audit entry's name and a test of its own."""

from dataclasses import fields
from pathlib import Path

import pytest

from connections.policies import Policies
from connections.psa.types import Capabilities
from syncops.operations import REGISTRY
from syncops.operations.base import Kind

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kind_is_named_as_its_file_and_has_a_test(name):
    kind = REGISTRY[name]
    assert kind.name == name
    assert kind.effect.__module__ == f"syncops.operations.{name}"
    assert (HERE / f"test_{name}.py").exists(), f"worked examples of {name} are missing"


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kind_says_on_screen_what_it_does(name):
    kind = REGISTRY[name]
    assert kind.label[0].isupper()
    assert kind.audit_name.istitle() or " on " in kind.audit_name


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kind_needs_only_what_a_psa_can_say_it_has(name):
    assert REGISTRY[name].needs <= {field.name for field in fields(Capabilities)}


@pytest.mark.parametrize("name", REGISTRY)
def test_a_kind_is_decided_by_policies_that_exist(name):
    assert REGISTRY[name].policies <= {field.name for field in fields(Policies)}


def test_every_file_of_the_folder_is_registered():
    import syncops.operations as package

    files = {file.stem for file in Path(package.__path__[0]).glob("*.py")} - {"__init__", "base"}
    assert files == set(REGISTRY)
    assert all(isinstance(kind, Kind) for kind in REGISTRY.values())
