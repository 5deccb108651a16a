"""Mappings from a file, from a shell: told first, applied when told, and the exit code says how it went."""

import json

import pytest
from django.core.management import CommandError, call_command

from mappings.models import SubscriptionMapping
from tests.syncops.test_bulk_mapping import known  # noqa: F401
from tests.syncops.test_importing import HEADER, file, freeze  # noqa: F401
from tests.syncops.test_mapping_run import two  # noqa: F401


def test_the_command_tells_first_and_applies_when_told(file, two, tmp_path, capsys):  # noqa: F811
    path = tmp_path / "mappings.csv"
    path.write_text(HEADER + f"{two.second.external_id};100;;;\nno such;100;;;\n")
    with pytest.raises(CommandError) as refused:
        call_command("import_mappings", path, connection="Autotask")
    assert refused.value.returncode == 3
    assert "1 new, 1 refused. Applied 0." in capsys.readouterr().out
    with pytest.raises(CommandError) as refused:
        call_command("import_mappings", path, connection="Autotask", apply=True)
    assert (refused.value.returncode, SubscriptionMapping.objects.count()) == (3, 0)
    capsys.readouterr()
    with pytest.raises(CommandError) as partial:
        call_command("import_mappings", path, connection="Autotask", apply=True, partial=True, json=True)
    assert (partial.value.returncode, json.loads(capsys.readouterr().out)["applied"]) == (4, 1)
    path.write_text("Nothing;here\n1;2\n")
    with pytest.raises(CommandError, match="columns Subscription id and Contract id are missing") as unreadable:
        call_command("import_mappings", path, connection="Autotask")
    assert unreadable.value.returncode == 2
