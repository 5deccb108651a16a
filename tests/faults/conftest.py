"""A stage for every test that kills processes."""

import pytest

from tests.faults.stage import prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, tables):
    return prepare(tmp_path_factory.mktemp("prepared"), tables)


@pytest.fixture
def stage(prepared, tmp_path):
    stage = prepared.open(tmp_path)
    yield stage
    stage.close()
