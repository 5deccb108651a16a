"""When records were last modified, as Autotask keeps and shows it."""

from email.utils import parsedate_to_datetime

import pytest

from tests.connections.sandbox.autotask_api import CONTRACT, MODIFIED
from tests.connections.sandbox.test_autotask_records import COMPANY, SERVICE

DATED = {"Companies": (10, "companyName"), "Services": (30, "name"), "Contracts": (70, "contractName")}
NEW = {"Companies": COMPANY, "Services": SERVICE, "Contracts": {"companyID": 10, "contractName": "New", **CONTRACT}}


def modified(autotask, entity, key):
    return autotask.get(f"{entity}/{key}").json()["item"][MODIFIED[entity.lower()]]


def since(autotask, entity, moment):
    return autotask.find(entity, MODIFIED[entity.lower()], "gte", moment)


@pytest.mark.parametrize("entity", DATED)
def test_a_record_is_dated_when_it_is_made_changed_or_edited_by_a_person(autotask, entity):
    key, name = DATED[entity]
    assert modified(autotask, entity, key) == "2026-01-01T00:00:00.000Z"
    assert since(autotask, entity, "2026-05-15T00:00:00Z") == []
    made = autotask.post(entity, NEW[entity]).json()["itemId"]
    assert since(autotask, entity, "2026-05-15T00:00:00Z") == [made]
    autotask.patch(entity, {"id": key, name: "Changed"})
    assert since(autotask, entity, "2026-05-15T00:00:00Z") == [key, made]
    autotask.control("clock", {"today": "2026-05-17"})
    autotask.control("records", {"entity": entity, "id": key, "values": {name: "Edited"}})
    assert since(autotask, entity, "2026-05-17T00:00:00Z") == [key]
    assert since(autotask, entity, "2026-05-18T00:00:00Z") == []


def test_what_a_caller_says_about_the_date_is_ignored(autotask):
    autotask.patch("Companies", {"id": 10, "lastTrackedModifiedDateTime": "2001-01-01", "companyNumber": "7"})
    assert modified(autotask, "Companies", 10).startswith("2026-05-15")


@pytest.mark.parametrize(("mode", "day"), [("record", "2026-01-01"), ("lines", "2026-05-15")])
def test_a_contract_is_dated_by_its_lines_only_where_the_tenant_does_so(autotask, mode, day):
    autotask.control("modes", {"contract_modified": mode})
    autotask.adjust("2026-05-20", 1)
    assert modified(autotask, "Contracts", 70).startswith(day)
    line = {"contractID": 72, "serviceID": 30}
    line_id = autotask.post("Contracts/72/Services", line).json()["itemId"]
    assert modified(autotask, "Contracts", 72).startswith(day)
    autotask.control("clock", {"today": "2026-05-17"})
    autotask.patch("Contracts/72/Services", {"id": line_id, "internalDescription": "key"})
    assert modified(autotask, "Contracts", 72).startswith("2026-05-17" if mode == "lines" else day)
    autotask.control("edit", {"line": 90, "date": "2026-06-01", "unitChange": 1})
    assert modified(autotask, "Contracts", 70).startswith("2026-05-17" if mode == "lines" else day)


def test_posting_a_period_does_not_date_the_contract(autotask):
    autotask.control("post", {"contract": 70, "through": "2026-05-31"})
    assert modified(autotask, "Contracts", 70).startswith("2026-01-01")


def test_a_contract_that_is_no_longer_the_default_was_modified(autotask):
    autotask.patch("Contracts", {"id": 70, "isDefaultContract": True})
    autotask.control("clock", {"today": "2026-05-17"})
    autotask.patch("Contracts", {"id": 71, "isDefaultContract": True})
    assert modified(autotask, "Contracts", 70).startswith("2026-05-17")


@pytest.mark.parametrize("path", ["Companies/10", "Nothing/1", "Companies/query"])
def test_every_answer_tells_the_time_of_the_stand_in(autotask, path):
    answer = autotask.get(path)
    assert parsedate_to_datetime(answer.headers["Date"]).date().isoformat() == "2026-05-15"
