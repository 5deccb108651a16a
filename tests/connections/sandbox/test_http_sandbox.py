import signal
import subprocess
import sys

import pytest
import requests

from connections.sandbox.autotask.server import AutotaskServer
from connections.sandbox.server import Sandbox
from connections.sandbox.stand_in import PortTaken
from tests.connections.sandbox.autotask_api import Api, database

SERVE = """
import sys
from pathlib import Path
from connections.sandbox.server import Sandbox
Sandbox(Path(sys.argv[1])).serve_forever(lambda line: print(line, flush=True))
print("ended", flush=True)
"""


def test_the_sandbox_starts_both_stand_ins_and_keeps_their_ledgers_apart(tmp_path):
    with Sandbox(tmp_path, autotask_databases=[database()]) as sandbox:
        api = Api(sandbox.autotask_url)
        assert api.get("Companies/10").json()["item"]["companyName"] == "Müller Bau GmbH"
        api.close()
        if sandbox.partner_center is not None:
            assert sandbox.partner_center_url != sandbox.autotask_url
    assert (tmp_path / "autotask" / "autotask.sqlite3").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.autotask_url, timeout=1)


def test_a_taken_port_is_reported_by_the_name_of_the_stand_in(tmp_path):
    with Sandbox(tmp_path / "one", autotask_databases=[database()]) as sandbox:
        port = int(sandbox.autotask_url.rsplit(":", 1)[1])
        with pytest.raises(PortTaken, match=f"autotask-sandbox: port {port} is taken"):
            AutotaskServer(tmp_path / "two", port=port)


def test_serving_announces_the_addresses_and_ends_with_a_signal(tmp_path):
    with subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        announced = process.stdout.readline()
        assert announced.startswith("Autotask sandbox: http://127.0.0.1:")
        zone = requests.get(announced.split()[-1], params={"user": "nobody"}, timeout=5)
        assert zone.status_code == 500
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().endswith("ended\n")
        assert process.wait(10) == 0
