"""`manage.py import_partner_center`: everything at first, what changed after that, and exit codes for scripts."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from connections.models import Connection
from tests.connections.provider.imports import Importing


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []


def run(connection, *options):
    out = StringIO()
    call_command("import_partner_center", "--connection", connection.name, "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_the_first_import_reads_everything_and_the_next_what_changed(connection, far_side):
    importing = Importing(connection, far_side)
    importing.only("bakkerij-velde")
    first = run(connection)
    assert (first["scope"], first["state"], first["counts"]["new"]) == ("everything", "succeeded", 5)
    assert run(connection, "--full")["counts"]["unchanged"] == 5
    assert run(connection)["scope"] == "changes"


def test_refused_credentials_have_their_own_exit_code_and_stop_the_connection(connection, far_side):
    far_side.control("tokens", {"revoke": "refresh"})
    with pytest.raises(CommandError) as refusal:
        run(connection)
    assert refusal.value.returncode == 3
    assert Connection.objects.get(pk=connection.pk).state == "unauthorized"


def test_a_connection_that_cannot_be_read_is_refused(connection, far_side):
    Connection.objects.update(kind="autotask")
    with pytest.raises(CommandError, match="connection to Partner Center") as refusal:
        run(connection)
    assert refusal.value.returncode == 1
