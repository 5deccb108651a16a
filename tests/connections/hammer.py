"""Processes that ask for places of a budget from several threads each, and write down when they held one.

`python -m tests.connections.hammer` makes the few tables in the empty database that the environment names. Then it
reads commands, a JSON list per line, and answers each by a JSON line; the processes are its forked children.

    ["make", LIMIT]                      an organization with a budget of this hourly limit, half of it ours; its id
    ["hammer", ORGANIZATION, COUNT, S]   so many processes ask for S seconds, or until the share is used up: when each
                                         place was held, by the machine's monotonic clock, and how often they were
                                         refused
    ["hold", ORGANIZATION]               a process that holds a place, with requests counted ahead, until it is killed;
                                         its id
    ["overtake", ORGANIZATION, TIMES]    a person asks so many times while two processes of bulk work do: how many of
                                         theirs began meanwhile, each time
    ["counted", ORGANIZATION]            how many requests are counted
"""

import json
import os
import signal
import sys
import threading
import time

import django

django.setup()

from django.db import connection  # noqa: E402  the settings have to be there first
from django.db import connections as databases  # noqa: E402

from connections import budget as budgets  # noqa: E402
from connections.budget import OverBudget, SharedBudget  # noqa: E402
from connections.models import RequestBudget, RequestSlot  # noqa: E402
from connections.usage import Counted  # noqa: E402
from portal.models import Organization  # noqa: E402

ENTITY, IDENTITY = "Companies", "hammered"
ENOUGH_S = 0.3  # refused for so long: nobody gives anything back any more
THREADS, AT_ONCE = 5, 3


def make(limit):
    name = f"CSP {Organization.objects.count()}"
    one = Organization.objects.create(kind="csp", name=name, currency="EUR")
    RequestBudget.objects.create(organization=one, identity=IDENTITY, limit=limit, share=50)
    return one.pk


def hammer(organization_id, count, seconds):
    readers = [forked(ask_for, organization_id, time.monotonic() + seconds)[1] for _ in range(count)]
    said = [json.loads(reader.read()) for reader in readers]
    return {"held": [each for one in said for each in one["held"]], "refused": sum(one["refused"] for one in said)}


def hold(organization_id):
    pid, reader = forked(hold_for_good, organization_id)
    assert reader.readline() == "held\n"
    return pid


def counted(organization_id):
    return sum(RequestBudget.objects.get(organization=organization_id).minutes.values())


def overtake(organization_id, times):
    budget = SharedBudget(organization_id, IDENTITY)
    budget.learn(Counted(1_000_000, 60, 0))
    with budget.places(ENTITY):
        pass  # the places are there
    readers = [forked(ask_for, organization_id, time.monotonic() + 0.25 * times, True, 0.03)[1] for _ in range(2)]
    waited, _ = [], budget.usage()
    for _ in range(times):
        time.sleep(0.1)
        asked = time.monotonic()
        with budget.places(ENTITY):
            waited.append((asked, time.monotonic()))
    held = [each for reader in readers for each in json.loads(reader.read())["held"]]
    return {"bulk": len(held), "overtaken": [sum(asked < began < got for began, _ in held) for asked, got in waited]}


def forked(work, *words):
    """A child that does `work`, and where its answer can be read."""
    databases.close_all()
    reader, writer = os.pipe()
    if pid := os.fork():
        os.close(writer)
        return pid, os.fdopen(reader)
    os.close(reader)
    with os.fdopen(writer, "w") as answer:
        work(answer, *words)
    os._exit(0)


def ask_for(answer, organization_id, until, bulk=False, takes_s=0.005):
    """Ask from more threads than may ask at once, as the hands of a drain do."""
    budget = SharedBudget(organization_id, IDENTITY, bulk, longest_wait_s=0.2)
    wire, held, refused = threading.Semaphore(AT_ONCE), [], []

    def ask():
        refused_since = None
        while time.monotonic() < min(until, (refused_since or until) + ENOUGH_S):
            try:
                with budget.in_line(ENTITY), wire, budget.places(ENTITY):
                    began = time.monotonic()
                    time.sleep(takes_s)
                    held.append((began, time.monotonic()))
                    refused_since = None
            except OverBudget as error:
                refused.append(error.message)
                used_up = "used up" in error.message
                refused_since = (refused_since or time.monotonic()) if used_up else None
                time.sleep(0.02)
        databases.close_all()

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.write(json.dumps({"held": held, "refused": len(refused)}))


def hold_for_good(answer, organization_id):
    budget, ready = SharedBudget(organization_id, IDENTITY), threading.Event()

    def wait():
        with budget.in_line(ENTITY):
            ready.set()
            time.sleep(120)

    threading.Thread(target=wait, daemon=True).start()
    ready.wait()
    with budget.places(ENTITY):
        answer.write("held\n")
        answer.flush()
        time.sleep(120)


def main():
    budgets.FAR_FROM_THE_LIMIT = 3  # so that much of a small share is counted ahead
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    with connection.schema_editor() as editor:
        for model in (Organization, RequestBudget, RequestSlot):
            editor.create_model(model)
    verbs = {"make": make, "hammer": hammer, "hold": hold, "overtake": overtake, "counted": counted}
    for line in sys.stdin:
        verb, *words = json.loads(line)
        print(json.dumps(verbs[verb](*words)), flush=True)


if __name__ == "__main__":
    main()
