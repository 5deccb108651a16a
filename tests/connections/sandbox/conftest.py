import pytest

from connections.sandbox.autotask.server import AutotaskServer
from tests.connections.sandbox.autotask_api import TODAY, Api, database
from tests.connections.sandbox.partner_center_api import PartnerCenter


@pytest.fixture
def start_autotask(tmp_path):
    """Starts an Autotask stand-in and returns a caller of it; everything ends with the test."""
    running = []

    def start(*, databases=None, folder="autotask", **options):
        server = AutotaskServer(tmp_path / folder, databases=databases or [database()], **options)
        server.start()
        api = Api(server.url)
        api.server = server
        running.append(api)
        api.control("clock", {"today": TODAY})
        return api

    yield start
    for api in running:
        api.close()
        api.server.stop()


@pytest.fixture
def autotask(start_autotask):
    """A caller of a running stand-in with the small database."""
    return start_autotask()


@pytest.fixture
def far_side(tmp_path):
    """A signed-in caller of a running Partner Center stand-in with the demonstration's tenant."""
    with PartnerCenter(tmp_path / "partner-center") as far_side:
        yield far_side
