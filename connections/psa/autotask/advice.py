"""Autotask's own words, and what they mean to a person: what happened, what to do, where to click.

Autotask has no error codes. It answers nearly every refusal with status 500 and {"errors": [text, …]}; the web server
in front of it answers {"Message": text}. So the texts are matched here, the first line that fits wins, and a text that
fits none is shown as it is.
"""

import re
from dataclasses import dataclass
from enum import Enum

from connections.psa.errors import Why

USERS = "Admin > Organization Settings & Users > Resources/Users (HR) > Resources/Users"
SECURITY_LEVELS = "Admin > Organization Settings & Users > Resources/Users (HR) > Security Levels"


class Verdict(Enum):
    """What a text says about the request that it answers."""

    REFUSED = "the rules say no; repeating changes nothing"
    BUSY = "too many requests at once or in this hour; nothing happened"
    INTERRUPTED = "the work broke off inside Autotask; nobody knows how far it got"


@dataclass(frozen=True, slots=True)
class Advice:
    """One of Autotask's texts in plain words."""

    message: str
    advice: str
    why: Why | None = None
    verdict: Verdict = Verdict.REFUSED


BUSY_HOUR = Advice(
    "Autotask's hourly limit of requests is used up; all integrations of this Autotask share it.",
    "It is tried again by itself. If it happens often, let the other integrations ask less.",
    verdict=Verdict.BUSY,
)
BUSY_THREADS = Advice(
    "Autotask is answering as many requests of this integration at once as it allows.",
    "It is tried again by itself.",
    verdict=Verdict.BUSY,
)
NO_RIGHT = Advice(
    "The API user lacks a right that this needs.",
    f"In Autotask, open {SECURITY_LEVELS}, edit the level of the API user, and allow what the test of this connection "
    "names. Then press Test.",
    Why.MISSING_RIGHT,
)

TABLE: tuple[tuple[str, Advice], ...] = (
    (r"thread threshold|Itgenatr005|concurrent (thread|request)", BUSY_THREADS),
    (r"request threshold|exceeded .*(requests|calls) .*(hour|minutes)|too many requests", BUSY_HOUR),
    (
        r"deadlock|time-?out expired|timed? ?out|transaction .*(aborted|rolled back)",
        Advice(
            "Autotask broke off while it worked on this.",
            "What it did is read back before anything else is sent.",
            verdict=Verdict.INTERRUPTED,
        ),
    ),
    (
        r"effectiveDate must be between the start date and end date of the Contract",
        Advice(
            "The date of the change lies outside the contract.",
            "In Autotask, open Contracts > Search, open the contract, choose Edit, and move its end date behind the "
            "date of the change. Then retry. A date before the contract's start cannot be sent at all.",
            Why.OUTSIDE_CONTRACT,
        ),
    ),
    (
        r"insert duplicate data into contract_service_period",
        Advice(
            "This line has an adjustment of this date already, and this Autotask does not merge a second one into it.",
            "It can be sent for the next day; the one day in between then shows as a shortfall.",
            Why.DUPLICATE_DATE,
        ),
    ),
    (
        r"already approved and posted contract period",
        Advice(
            "The billing period is approved and posted, so Autotask does not change it any more.",
            "Send it for the next open period. Or, in Autotask, void the invoice, un-post the item under Admin > "
            "Features & Settings > Contracts & Un-Posting > Un-Post, and then retry.",
            Why.POSTED_PERIOD,
        ),
    ),
    (
        r"negative number of units|units .*(less than|below) (zero|0)|cannot be negative",
        Advice(
            "The change would leave fewer than 0 units on some date.",
            "Somebody else changed the line. In Autotask, open the contract, choose Services, and look at its units; "
            "then put the difference right here or there.",
            Why.BELOW_ZERO,
        ),
    ),
    (
        r"(number of )?units .*cannot be (0|zero)|count cannot be (0|zero)",
        Advice(
            "This Autotask does not allow a line with 0 units.",
            "In Autotask, end the contract on the last day that is to be billed: Contracts > Search, open the "
            "contract, Edit, End Date.",
            Why.BELOW_ZERO,
        ),
    ),
    (
        r"More than one ContractService matches",
        Advice(
            "The contract holds this service on more than one line.",
            "Choose the line that this subscription is billed on, on the page of its mapping.",
            Why.SEVERAL_LINES,
        ),
    ),
    (
        r"Recurring Service Contract",
        Advice(
            "The contract is not a Recurring Service contract, and only those hold services.",
            "Choose another contract, or make one in Autotask: Contracts > New > Recurring Service.",
        ),
    ),
    (
        r"Reference value on field: serviceID|serviceID: Value .* does not exist",
        Advice(
            "The service does not exist in Autotask any more, or it is not active.",
            "In Autotask, open Admin > Features & Settings > Products & Services > Services, find it, and tick Active; "
            "or map the offer to another service.",
            Why.MISSING_REFERENCE,
        ),
    ),
    (
        r"Reference value on field: contract(Service)?ID|contract(Service)?ID: Value .* does not exist",
        Advice(
            "The contract or its line does not exist in Autotask any more, or the API user may not see it.",
            "In Autotask, open Contracts > Search and look for the contract. If it is there, check the lines of "
            f"business of the API user: {USERS}.",
            Why.MISSING_REFERENCE,
        ),
    ),
    (
        r"Reference value on field: (?P<field>\w+) of type: (?P<kind>\w+)|: Value .* does not exist or is invalid",
        Advice(
            "Something that this refers to does not exist in Autotask any more.",
            "Press Refresh on the connection, then choose again.",
            Why.MISSING_REFERENCE,
        ),
    ),
    (r"adequate permissions|not have (the )?(required )?permissions?|not authorized to", NO_RIGHT),
    (
        r"Missing Required Field",
        Advice(
            "Autotask wants a field that was not sent.",
            "Look for required user-defined fields in Autotask: Admin > Features & Settings > "
            "Application-Wide (Shared) Features > User-Defined Fields. Make the field optional, or give it a default.",
        ),
    ),
    (
        r"longer than (its )?maximum length|exceeds? (the )?maximum length|would be truncated",
        Advice("A text is longer than Autotask takes.", "Shorten the name in question, then retry."),
    ),
    (
        r"Unable to find (?P<field>\w+) in the (?P<kind>\w+) Entity",
        Advice(
            "This Autotask does not know a field that was asked for.",
            "Press Test on the connection, so that its fields are read again, then retry.",
        ),
    ),
    (
        r"duplicate|already exists",
        Advice(
            "Something of this name or number exists in Autotask already.",
            "Press Refresh on the connection and choose the one that exists.",
        ),
    ),
    (
        r"Conversion failed|Could not find member|Error converting value|Invalid query syntax|maxCountOfRecords",
        Advice(
            "Autotask did not understand the request. That is a fault of this product, not of your data.",
            "Report it with the text of Autotask's answer.",
        ),
    ),
)

UNKNOWN = Advice(
    "Autotask refuses this.",
    "Its own words say why. Put right in Autotask what they name, then retry.",
)


def advice_for(text: str) -> Advice:
    """The meaning of Autotask's text; UNKNOWN where no line of the table fits."""
    return next((advice for pattern, advice in TABLE if re.search(pattern, text, re.IGNORECASE)), UNKNOWN)
