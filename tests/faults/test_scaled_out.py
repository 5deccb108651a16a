"""PostgreSQL and Redis in place of SQLite and its own queue: the same promises."""

import os
import uuid

import psycopg
import pytest
import redis

from tests.faults.stage import TODAY, Stage, _sandbox, end_tree

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.postgres, pytest.mark.redis]
NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture
def stage(tmp_path):
    server, broker = os.environ["TEST_POSTGRES_URL"], os.environ["TEST_REDIS_URL"]
    name = f"stage_{uuid.uuid4().hex[:12]}"
    redis.Redis.from_url(broker).flushdb()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        own = {"DATABASE_URL": f"{server.rpartition('/')[0]}/{name}", "QUEUE_URL": broker}
        stage = Stage(tmp_path, _sandbox(tmp_path, (0, 0)), extra=own)
        stage.control("clock", {"today": TODAY})
        stage.manage("migrate", "--verbosity", "0")
        stage.run("set_up")
        yield stage
        stage.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_change_reaches_the_line_and_a_lost_broker_costs_nothing(stage):
    worker = stage.start_worker()
    stage.run("change", "12")
    stage.wait_for(lambda: ("2026-05-10", 2) in stage.applied())
    stage.extra["QUEUE_URL"], broker = NOWHERE, stage.extra["QUEUE_URL"]
    stage.run("change", "15", "2026-05-11")  # its wake-up goes nowhere
    stage.extra["QUEUE_URL"] = broker
    stage.wait_for(lambda: ("2026-05-11", 3) in stage.applied())
    end_tree(worker)
    redis.Redis.from_url(broker).flushdb()
    stage.run("change", "20", "2026-05-12")
    redis.Redis.from_url(broker).flushdb()
    stage.start_worker()
    stage.wait_for(lambda: ("2026-05-12", 5) in stage.applied())
    assert [units for _, units in stage.applied()] == [10, 2, 3, 5]
