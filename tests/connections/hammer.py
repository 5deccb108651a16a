"""A process that asks for places of a budget from three threads, and writes down when it held one.

`python -m tests.connections.hammer ORGANIZATION SECONDS` prints [[from, until], …] by the machine's monotonic clock,
and how often it was refused. With SECONDS 0 it takes a place, prints "held", and waits to be killed.
"""

import json
import sys
import threading
import time

import django

django.setup()

from django.db import connections as databases  # noqa: E402  the settings have to be there first

from connections.budget import OverBudget, SharedBudget  # noqa: E402

ENTITY, IDENTITY = "Companies", "hammered"


def hammer(budget: SharedBudget, until: float, held: list, refused: list) -> None:
    try:
        while time.monotonic() < until:
            try:
                with budget.places(ENTITY):
                    began = time.monotonic()
                    time.sleep(0.005)
                    held.append((began, time.monotonic()))
            except OverBudget as error:
                refused.append(error.message)
                time.sleep(0.05)
    finally:
        databases.close_all()


def main(organization_id: int, seconds: float) -> None:
    budget = SharedBudget(organization_id, IDENTITY, longest_wait_s=1.5)
    if not seconds:
        with budget.places(ENTITY):
            print("held", flush=True)
            time.sleep(60)
    held: list = []
    refused: list = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=hammer, args=(budget, until, held, refused)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"held": held, "refused": len(refused)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
