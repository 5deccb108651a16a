"""Workers that are really killed, with the stand-in over real HTTP."""

import os
import signal
import time

import psutil
import pytest

from tests.faults.stage import cluster_of, end_tree

pytestmark = pytest.mark.faults


def test_a_worker_killed_between_the_write_and_the_read_back_is_followed_by_a_proof(stage):
    stage.control(
        "faults", {"fault": "slow_after:8", "method": "POST", "path": "ContractServiceAdjustments", "times": 1}
    )
    worker = stage.start_worker()
    stage.run("change", "12")
    stage.wait_for(lambda: len(stage.applied()) == 2)
    end_tree(worker)
    assert stage.last_write() == "sending"
    stage.start_worker()
    stage.wait_for(lambda: stage.state() == "succeeded")
    assert stage.applied() == [("2026-05-10", 10), ("2026-05-10", 2)]


def test_a_worker_that_is_stopped_finishes_what_it_does(stage):
    stage.control("faults", {"fault": "slow:2", "method": "POST", "path": "ContractServiceAdjustments", "times": 1})
    worker = stage.start_worker()
    stage.run("change", "12")
    stage.wait_for(lambda: stage.last_write() == "sending")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(25) == 0
    assert stage.last_write() in ("accepted", "applied")


def two_idle_workers(main):
    """Both workers while they wait for the queue: killing them there leaves it locked."""
    idle = [one for one in main.children(recursive=True) if "idle" in " ".join(one.cmdline())]
    return idle if len(idle) == 2 else None


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["idle worker", "main"])
def test_a_queue_that_lost_a_process_works_again_within_twenty_seconds(stage, victim):
    worker = stage.start_worker()
    stage.wait_for(lambda: (stage.folder / "run" / "heartbeat").exists())
    main = cluster_of(worker)
    assert main is not None
    if victim == "main":
        os.kill(main.pid, signal.SIGKILL)
    else:
        for process in stage.wait_for(lambda: two_idle_workers(main)):
            os.kill(process.pid, signal.SIGKILL)
    killed = time.monotonic()
    stage.run("change", "12")
    stage.wait_for(lambda: stage.state() == "succeeded", seconds=35)
    assert stage.applied()[1:] == [("2026-05-10", 2)]
    assert time.monotonic() - killed < 35


def test_stopping_the_supervisor_leaves_no_process_behind(stage):
    worker = stage.start_worker()
    stage.wait_for(lambda: (stage.folder / "run" / "heartbeat").exists())
    family = psutil.Process(worker.pid).children(recursive=True)
    assert len(family) >= 4
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(25) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
