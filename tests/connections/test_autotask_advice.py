"""Autotask's own words, and what they become."""

import pytest

from connections.psa.autotask.advice import TABLE, UNKNOWN, Verdict, advice_for
from connections.psa.errors import Why

KNOWN = [
    ("The Autotask API thread threshold of 3 threads has been exceeded.", None, "at once"),
    ("Itgenatr005", None, "at once"),
    ("The Autotask API request threshold of 10000 requests in 60 minutes has been exceeded.", None, "hourly limit"),
    ("Transaction (Process ID 61) was deadlocked on lock resources with another process", None, "broke off"),
    (
        "ContractServiceAdjustment effectiveDate must be between the start date and end date of the Contract "
        "referenced by contractID.",
        Why.OUTSIDE_CONTRACT,
        "outside the contract",
    ),
    ("Attempt to insert duplicate data into contract_service_period", Why.DUPLICATE_DATE, "does not merge"),
    (
        "Unable to make changes as it would result in the deletion/modification of an already approved and posted "
        "contract period",
        Why.POSTED_PERIOD,
        "approved and posted",
    ),
    ("unitChange would result in a negative number of units.", Why.BELOW_ZERO, "fewer than 0"),
    ("The number of units of a ContractService cannot be 0.", Why.BELOW_ZERO, "0 units"),
    (
        "More than one ContractService matches contractID and serviceID; specify contractServiceID.",
        Why.SEVERAL_LINES,
        "",
    ),
    ("ContractService can only be added to a Recurring Service Contract.", None, "not a Recurring Service contract"),
    (
        "Reference value on field: serviceID of type: Service does not exist or is invalid.",
        Why.MISSING_REFERENCE,
        "service does not exist",
    ),
    (
        "Reference value on field: contractServiceID of type: ContractService does not exist or is invalid.",
        Why.MISSING_REFERENCE,
        "contract or its line",
    ),
    ("contactID: Value 123 does not exist or is invalid", Why.MISSING_REFERENCE, "refers to"),
    (
        "The logged in Resource does not have the adequate permissions to create ContractService.",
        Why.MISSING_RIGHT,
        "lacks a right",
    ),
    ("Missing Required Field: contractName. Error creating Contract.", None, "was not sent"),
    ("The value of field internalDescription is longer than its maximum length of 100.", None, "longer"),
    ("Unable to find sku in the Service Entity.", None, "does not know a field"),
    ("A Service with this name already exists.", None, "exists in Autotask already"),
    ("Conversion failed when converting the varchar value 'x' to data type int.", None, "fault of this product"),
    ("Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions.", None, "fault of this product"),
]


@pytest.mark.parametrize(("text", "why", "words"), KNOWN, ids=[text[:40] for text, _, _ in KNOWN])
def test_a_known_text_becomes_plain_words_and_a_next_step(text, why, words):
    advice = advice_for(text)
    assert advice is not UNKNOWN
    assert advice.why is why
    assert words in advice.message
    assert advice.advice.endswith(".")


def test_every_line_of_the_table_has_a_text_that_finds_it():
    found = {id(advice_for(text)) for text, _, _ in KNOWN}
    assert [pattern for pattern, advice in TABLE if id(advice) not in found] == []


def test_an_unknown_text_speaks_for_itself():
    assert advice_for("Something new.") is UNKNOWN
    assert UNKNOWN.verdict is Verdict.REFUSED


def test_every_refusal_that_callers_branch_on_is_recognized():
    assert {advice.why for _, advice in TABLE} == {*Why, None}
