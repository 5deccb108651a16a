"""Why operations stop, in words: what each kind of error means, what to do about it, and which errors are one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from connections.psa.errors import Why

LONGEST_GROUP = 200
GAP = "…"
_VARIES = re.compile(r"\b\d{1,2}\s[A-Z][a-z]{2}\s\d{4}\b|[#(]?\b\d[\d.,:/-]*\b\)?")  # 5 May 2026; numbers


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of error for people: its name, what it means for the bill, and what to do next."""

    title: str
    means: str
    next: str


TROUBLES: dict[str, Trouble] = {
    "rejected": Trouble(
        "Refused by Autotask",
        "Autotask says no. Nothing was changed there, so the line still bills what it billed before.",
        "Put right what its words name, in Autotask or here. Then retry.",
    ),
    "unavailable": Trouble(
        "Not reached",
        "Autotask did not answer for so long that the portal stopped trying. Surely nothing was changed by this.",
        "When the connection answers again (its page shows it), retry all of them at once.",
    ),
    "unproved": Trouble(
        "Sent, and nobody can tell what became of it",
        "A change was sent without an answer, and the line cannot be read. It may bill the old or the new state.",
        "Open each one, look at the line in Autotask, and say what you see.",
    ),
    "accepted_not_applied": Trouble(
        "Accepted, but it does not show",
        "Autotask said yes, and the line still shows what it showed before: the bill lacks the change.",
        "Look at the line in Autotask, then retry. What shows there by then is not sent again.",
    ),
    "foreign_change": Trouble(
        "Somebody else changed the line",
        "A change was sent without an answer, and the line was changed by others meanwhile.",
        "Open each one, compare the line in Autotask with what was sent, and decide.",
    ),
    "beyond_contract": Trouble(
        "After the contract's end",
        "The change takes effect after the last day of its contract, so nothing bills it.",
        "Open one and press Extend the contract. What waits for it goes on by itself.",
    ),
    "never_ends": Trouble(
        "Sent again and again to no end",
        "Each part that was sent left the line in need of as much again, so the portal stopped.",
        "Open each one, compare the line in Autotask with what is wanted, put it right there, then retry.",
    ),
    "half_done": Trouble(
        "A move that stopped halfway",
        "The subscription was to go on on another line and is not there, so nothing was taken from the old one.",
        "Dismiss it as well, or move the units in Autotask by hand.",
    ),
    "posted_since": Trouble(
        "Undone too late",
        "The days that an undo was to change were posted before it was sent. The line shows what it showed.",
        "Dismiss it, and put these days right by a charge or a credit in Autotask.",
    ),
    "no_line": Trouble(
        "The line was never begun",
        "The operation that was to put the subscription on its line did not succeed, so there is nothing to change.",
        "Retry or dismiss that one first; dismiss these, or map the subscription again.",
    ),
    "retired": Trouble(
        "The connection is retired",
        "Nothing is sent to a retired connection any more.",
        "Dismiss these. What is still to be billed is mapped on another connection.",
    ),
    "unsupported": Trouble(
        "Done by hand",
        "Autotask has no counterpart for this change under the connection's policies.",
        "Do by hand in Autotask what the operation says.",
    ),
    Why.DUPLICATE_DATE: Trouble(
        "A second change on one date",
        "The line has an adjustment of this date already, and this Autotask takes no second one.",
        "Put the difference right in Autotask, then retry; or let the connection's policy use the next day.",
    ),
    Why.OUTSIDE_CONTRACT: Trouble(
        "Outside the contract",
        "The date of the change is not inside its contract, so nothing bills it.",
        "Move the contract's dates in Autotask, then retry.",
    ),
    Why.POSTED_PERIOD: Trouble(
        "The period is posted",
        "The days of the change are approved and posted in Autotask, and cannot be changed any more.",
        "Retry to send it from the next open period on. The posted days stay a shortfall, shown in money.",
    ),
    Why.BELOW_ZERO: Trouble(
        "Fewer than 0 units",
        "The line shows fewer units than the change takes away: somebody else changed it.",
        "Put the units of the line right in Autotask, then retry.",
    ),
    Why.MISSING_REFERENCE: Trouble(
        "Not in Autotask any more",
        "The contract, the service or the line that this names is gone.",
        "Refresh the connection. Then retry, or map the subscription to another contract.",
    ),
    Why.MISSING_RIGHT: Trouble(
        "The API user lacks a right",
        "Autotask does not let the connection's user do this. Nothing was changed.",
        "Allow it in the user's security level, test the connection, then retry all of them at once.",
    ),
    Why.SEVERAL_LINES: Trouble(
        "Several lines carry one key",
        "More than one line of the contract says that it belongs to this subscription.",
        "Clear the internal description of all but one of them in Autotask, then retry.",
    ),
}
OTHER = Trouble(
    "Stopped for another reason",
    "The operation could not go on. What the line bills may lack the change.",
    "Open each one: it says what happened and what to do.",
)


def trouble_of(kind: str) -> Trouble:
    """What a kind of error means; one of another version of the product is told as far as it can be."""
    return TROUBLES.get(kind, OTHER)


def general_words(message: str, names: Iterable[str]) -> str:
    """`message` without what differs from one operation to the next: the `names` in it, dates, numbers and ids.

    Two operations that stopped for the same reason have the same words, of at most 200 characters.
    """
    words = message
    for name in sorted({name for name in names if len(name.strip()) > 1}, key=len, reverse=True):
        words = words.replace(name, GAP)
    return _VARIES.sub(GAP, words)[:LONGEST_GROUP]
