"""The demonstration's life as a person sees it: it starts whole, stops whole, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from syncops.demo.folder import MADE
from syncops.demo.programs import end_processes, processes_of

ROOT = Path(__file__).resolve().parents[2]
READY = "Stop with Ctrl-C"
pytestmark = [pytest.mark.slow, pytest.mark.faults]


class Run:
    """One `manage.py demo` on a folder."""

    def __init__(self, folder, port, sandbox_port, *options):
        self.said, self.folder = folder.parent / f"said-{time.monotonic_ns()}", folder
        command = [sys.executable, ROOT / "manage.py", "demo", "--port", str(port), "--sandbox-port", str(sandbox_port)]
        environment = os.environ | {"PORTAL_DATA_DIR": str(folder)}
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, *options], env=environment, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def words(self):
        return self.said.read_text()

    @property
    def processes(self):
        return processes_of(self.folder / "logs")

    def await_words(self, words, seconds=120):
        deadline = time.monotonic() + seconds
        while words not in self.words:
            assert self.process.poll() is None, self.words
            assert time.monotonic() < deadline, self.words
            time.sleep(0.1)

    def await_end(self, seconds=60):
        return self.process.wait(seconds)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder and three free ports; whatever is left on the folder afterwards is ended."""
    folder = tmp_path_factory.mktemp("demonstration") / "data"
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        three.bind(("127.0.0.1", two.getsockname()[1] + 1))
        ports = one.getsockname()[1], two.getsockname()[1]
    runs = []

    def start(*options):
        runs.append(Run(folder, *ports, *options))
        return runs[-1]

    start.folder, start.ports = folder, ports
    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()
    end_processes(folder / "logs")


def test_it_answers_and_is_alone_on_its_folder_and_ports(place):
    run = place()
    run.await_words(READY)
    url = f"http://127.0.0.1:{place.ports[0]}"
    assert requests.get(f"{url}/readyz", timeout=10).json()["ready"] is True
    assert "Demonstration-2026" in run.words
    assert {entry.name for entry in place.folder.iterdir()} <= set(MADE)  # or starting over would refuse
    assert "Sign in" in requests.get(f"{url}/accounts/login/", timeout=10).text
    second = place()
    assert second.await_end() == 1
    assert f"A demonstration runs on {place.folder} already (process {run.process.pid})" in second.words
    elsewhere = Run(place.folder.parent / "elsewhere", *place.ports)
    assert elsewhere.await_end() == 1
    assert f"Port {place.ports[0]} (web server) is taken" in elsewhere.words
    assert f"Port {place.ports[1] + 1} (Partner Center sandbox) is taken" in elsewhere.words
    assert not (place.folder.parent / "elsewhere" / "portal.sqlite3").exists()
    run.process.kill()  # as when the machine runs out of memory; its processes live on
    run.await_end()
    assert len(run.processes) > 4


def test_the_next_one_ends_what_a_killed_one_left_and_says_which_process_died(place):
    former = {process.pid for process in processes_of(place.folder / "logs")}
    run = place()
    run.await_words(READY)
    assert "processes that an earlier demonstration had left behind" in run.words
    assert former.isdisjoint(process.pid for process in run.processes)
    web = next(process for process in run.processes if "gunicorn: master" in " ".join(process.cmdline()))
    web.kill()
    assert run.await_end() == 1
    assert "The web server was ended by SIGKILL." in run.words
    assert "Listening at" in run.words  # the end of its log
    assert run.processes == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_it_can_be_stopped_at_any_time(place, number):
    run = place("--fresh")
    run.await_words("Preparing the database")
    began = time.monotonic()
    run.process.send_signal(number)
    assert run.await_end() == 0
    assert time.monotonic() - began < 15
    assert run.words.endswith("Stopping …\nStopped.\n")
    assert run.processes == []
