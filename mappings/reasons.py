"""The words of eligibility: why something cannot be mapped, and what to change in Autotask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something cannot be mapped (or, as a warning, should be looked at), and what to change."""

    code: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.text} {self.fix}"


def reason(code: str, **values: object) -> Reason:
    """The reason of this code, with the names and dates that it tells of. Raises KeyError where one is missing."""
    text, fix = WORDS[code]
    return Reason(code, text.format(**values), fix.format(**values))


def told(reasons: Iterable[Reason]) -> list[tuple[str, str]]:
    """Reasons as text and what to do, for a row of a file."""
    return [(one.text, one.fix) for one in reasons]


WORDS: dict[str, tuple[str, str]] = {
    "offer_legacy": (
        "{subscription} is a legacy licence offer; those cannot be mapped.",
        "Migrate the subscription to new commerce first, then map the new subscription.",
    ),
    "offer_perpetual": (
        "{subscription} is perpetual software: it is bought once and has no billing period.",
        "Bill it with a charge on the contract in Autotask.",
    ),
    "offer_azure_reservation": (
        "{subscription} is an Azure reservation; those are not mapped by themselves.",
        "Map the customer's Azure plan: reservations are added to the plan's monthly amount.",
    ),
    "billing_not_mappable": (
        "{subscription} has {billing} billing; only monthly and annual billing can be mapped.",
        "Bill it with a charge on the contract in Autotask, or change its billing frequency when it renews.",
    ),
    "subscription_ended": (
        "{subscription} is {status}.",
        "Only pending, active and suspended subscriptions are mapped.",
    ),
    "subscription_currency": (
        "{subscription} is priced in {currency}, the connection keeps {connection_currency}.",
        "Choose or add a connection whose currency is {currency}.",
    ),
    "own_company": (
        "{company} is your own company in Autotask.",
        "Choose the company of the customer; create it in Autotask if there is none.",
    ),
    "company_inactive": (
        "{company} is inactive.",
        "In Autotask open the company, choose Edit, and tick Active.",
    ),
    "company_type": (
        "{company} has the type {type}, not Customer.",
        "In Autotask open the company, choose Edit, and set its type to Customer.",
    ),
    "company_currency": (
        "{company} is billed in {currency}, the connection keeps {connection_currency}.",
        "Choose a company with the connection's currency: Autotask fixes it when a company is created.",
    ),
    "customer_mapped": (
        "The customer is mapped to {other} on this connection already.",
        "Choose {other}, or remove that mapping first.",
    ),
    "company_taken": (
        "{company} is mapped to the customer {other} already.",
        "Choose another company, or remove that mapping first: one company belongs to one customer.",
    ),
    "service_inactive": (
        "{service} is inactive.",
        "In Autotask open Admin > Products & Services > Services, edit the service, and tick Active.",
    ),
    "service_period": (
        "{service} has the period type {found}; {subscription} is billed {billed}.",
        "Choose or create a service with the period type {wanted}.",
    ),
    "azure_service_priced": (
        "{service} has the unit price {price} and the unit cost {cost}; an Azure plan's service has 0 and 0, because "
        "its amount is set month by month.",
        "In Autotask set the service's unit price and unit cost to 0, or choose another service.",
    ),
    "offer_mapped": (
        "The offer is mapped to {other} on this connection already.",
        "Choose {other}, or remove that mapping first.",
    ),
    "service_taken": (
        "{service} is mapped to the offer {other} already.",
        "Choose another service, or remove that mapping first: one service belongs to one offer.",
    ),
    "contract_company": (
        "{contract} does not belong to {company}.",
        "Choose a contract of {company}: Autotask fixes a contract's company when it is created.",
    ),
    "contract_type": (
        "{contract} has the type {type}, not Recurring Service.",
        "Create a Recurring Service contract in Autotask: a contract's type cannot be changed.",
    ),
    "contract_inactive": (
        "{contract} is inactive.",
        "In Autotask open the contract, choose Edit, and set Status to Active.",
    ),
    "contract_ended": (
        "{contract} ended on {end}.",
        "In Autotask move the contract's end date, or choose the contract that followed it.",
    ),
    "contract_starts_late": (
        "{contract} starts on {start}; it must start before the subscription was created on {limit}.",
        "Choose or create a contract that starts earlier: Autotask locks the start date once services are on it.",
    ),
    "contract_starts_after_mapping": (
        "{contract} starts on {start}, after the first day of the new mapping, {limit}.",
        "Choose a contract that starts on that day or earlier, or map from {start} on.",
    ),
    "contract_period": (
        "{contract} has the period type {found}; {subscription} is billed {billed}.",
        "Choose or create a contract with the period type {wanted}: Autotask fixes it when a contract is created.",
    ),
    "contract_currency": (
        "{contract} is billed in {found}, the currency of {company}; {subscription} is priced in {currency}.",
        "Choose a contract of a company that is billed in {currency}.",
    ),
    "azure_contract_day": (
        "{contract} starts on {start}; an Azure plan's contract starts on day 1 of a month.",
        "Choose or create a contract that starts on the first day of a month.",
    ),
    "azure_contract_ends_soon": (
        "{contract} ends on {end}, within 12 months; an Azure plan itself has no end.",
        "In Autotask move the contract's end date further out.",
    ),
    "contract_ends_before_term": (
        "{contract} ends on {end}, before the subscription's term ends on {term_end}: what comes after is not billed.",
        "In Autotask move the contract's end date to {term_end} or later.",
    ),
    "contract_renewed": (
        "{contract} is part of a renewal with contract {other}.",
        "Make sure that you choose the newer of the two.",
    ),
    "subscription_mapped": (
        "{subscription} is mapped to {other} already.",
        "A subscription is billed in one place: remove that mapping first.",
    ),
    "line_taken": (
        "The line bills {other} already.",
        "Choose to add a line beside it: each subscription has a line of its own.",
    ),
    "customer_in_use": (
        "{count} of this customer's subscriptions are billed on contracts of {company}.",
        "Remove their subscription mappings first.",
    ),
    "offer_in_use": (
        "{count} subscriptions of this offer are billed as {service}.",
        "Remove their subscription mappings first.",
    ),
    "customer_not_mapped": (
        "{customer} is not mapped to a company yet.",
        "Map it under Customer Mapping first.",
    ),
    "offer_not_mapped": (
        "{offer} is not mapped to a service yet.",
        "Map it under Offer Mapping first.",
    ),
    "no_contract": (
        "{company} has no contract that can bill it.",
        "Its own page says for each contract what to change in Autotask.",
    ),
    "several_contracts": (
        "{company} has {count} contracts that can bill it.",
        "Choose the one that takes its {period} subscriptions.",
    ),
    "line_exists": (
        "{contract} holds a line of {service} already.",
        "Map it on its own page, where you take that line over or add another.",
    ),
    "policy_off": (
        "The policy of {connection} that maps new subscriptions was switched off meanwhile.",
        "Map it on its own page, or switch the policy on and try again.",
    ),
    "several_connections": (
        "{count} connections map new subscriptions of its currency, so it is not clear which one bills it.",
        "Map it on its own page, or leave that policy on at one of them.",
    ),
    "no_longer_there": (
        "It is over, or another organization bills it now.",
        "There is nothing to do.",
    ),
    "not_new": (
        "{subscription} was bought on {day}, so it is not a new one.",
        "Map it under Subscription Mapping, where you choose from when it is billed.",
    ),
    "left_out": (
        "{subscription} is left out: {why}.",
        "Take it in again on its page first.",
    ),
    "still_billed": (
        "{subscription} is billed on {other}.",
        "Remove that mapping first, or leave out some of its units.",
    ),
    "nothing_chosen": (
        "Nothing was chosen.",
        "Choose a row, then press Map.",
    ),
    "no_single_suggestion": (
        "There is no single suggestion to accept.",
        "Choose the right one in its row.",
    ),
    "changed_meanwhile": (
        "The mapping that was in the way has just been removed.",
        "Try again.",
    ),
    "taken_meanwhile": (
        "Somebody has mapped it to another one just now.",
        "Look at the mapping page, and choose again.",
    ),
    "not_yours": (
        "The {noun} {value} is not one that may be chosen here.",
        "Begin again from the subscription's page.",
    ),
    "not_there": (
        "The {noun} is no longer in Autotask.",
        "Choose another one; refresh the connection if the list still shows it.",
    ),
}
