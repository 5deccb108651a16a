"""Fixtures of the engine's tests."""

import pytest

from tests.syncops.desk import Desk, make_desk


@pytest.fixture
def desk(cast) -> Desk:
    return make_desk(cast)


@pytest.fixture
def mapped(desk) -> Desk:
    """A desk whose subscription of 10 is on the contract, proved."""
    desk.map()
    desk.drain()
    desk.psa.calls.clear()
    desk.psa.applied.clear()
    return desk
