"""The policies of a connection in words: what each decides, and what each of its values does."""

from dataclasses import asdict, dataclass

from connections.policies import Policies


@dataclass(frozen=True, slots=True)
class PolicyWords:
    """One policy: its title, and one sentence per value."""

    title: str
    values: dict[str, str]


SECTIONS = (
    ("Seats and prices", ("seat_increase", "seat_decrease", "settle_minutes", "price_change", "margin_date")),
    ("Renewals, upgrades and moves", ("renewal", "upgrade", "cycle_change", "reseller_change", "licence_suspension")),
    (
        "When Autotask closed or changed something",
        ("posted_period", "same_date", "after_failure", "foreign_change"),
    ),
    ("Azure plans", ("azure_billing", "azure_period", "reactivation")),
    ("New subscriptions", ("map_new_subscriptions",)),
)
MODE = PolicyWords(
    "Mode",
    {
        "live": "What is planned is sent.",
        "rehearse": "Everything is planned and listed in money, and nothing is sent until you go live.",
    },
)
WORDS = {
    "reactivation": PolicyWords(
        "Azure plan reactivated",
        {"leave": "Autotask keeps price 0; a warning says so.", "restore": "Price and cost return next period."},
    ),
    "licence_suspension": PolicyWords(
        "Licence suspended",
        {"leave": "Nothing is sent; the units stay.", "zero": "Units go to 0 and come back on reactivation."},
    ),
    "cycle_change": PolicyWords(
        "Billing frequency changed",
        {"refuse": "A person does it in Autotask.", "move": "The units move to the contract of the new frequency."},
    ),
    "upgrade": PolicyWords(
        "Upgraded to another offer",
        {"refuse": "A person does it in Autotask.", "pair": "The units move from the old service to the new one."},
    ),
    "renewal": PolicyWords(
        "Renewed",
        {
            "refuse": "A person extends the contract in Autotask.",
            "extend": "The contract's end moves so that it covers the new term.",
            "extend_and_reprice": "The contract's end moves, and the new price holds from the renewal on.",
        },
    ),
    "reseller_change": PolicyWords(
        "Reseller changed",
        {"refuse": "A person does it in Autotask.", "hand_over": "Units go to 0 here; the new owner maps it anew."},
    ),
    "price_change": PolicyWords(
        "How a new price is sent",
        {
            "set_price": "As one adjustment without a change of units.",
            "zero_and_restore": "As two: the units to 0, then back at the new price.",
        },
    ),
    "posted_period": PolicyWords(
        "Change in a posted period",
        {
            "next_open": "It counts from the next open period; the rest shows as a shortfall in money.",
            "hold": "It waits for a person; the shortfall is shown in money.",
        },
    ),
    "after_failure": PolicyWords(
        "After a failure",
        {"continue": "Later changes are sent all the same.", "hold_line": "Later changes of the subscription wait."},
    ),
    "margin_date": PolicyWords(
        "New customer margins",
        {
            "completion_date": "They hold from the day on which the update was completed.",
            "next_period_start": "They hold from the next billing period on.",
        },
    ),
    "seat_increase": PolicyWords(
        "More seats",
        {"on_date": "Billed from the day of the change.", "next_period": "Billed from the next period on."},
    ),
    "seat_decrease": PolicyWords(
        "Fewer seats",
        {"on_date": "Credited from the day of the change.", "next_period": "Counted from the next period on."},
    ),
    "settle_minutes": PolicyWords("Minutes to wait for further changes", {}),
    "same_date": PolicyWords(
        "Second change on one day that Autotask refuses",
        {"next_day": "It is sent for the next day; the day between shows as a shortfall.", "hold": "A person decides."},
    ),
    "foreign_change": PolicyWords(
        "Somebody else changed the line",
        {"report": "It is shown and kept.", "put_back": "The line is put back to what it should show."},
    ),
    "azure_billing": PolicyWords(
        "Azure plans",
        {
            "service_price": "The month's amount is the price of the line for its month; then that is 0 again.",
            "contract_charge": "The month's amount becomes one charge on the contract, a correction a second one.",
        },
    ),
    "azure_period": PolicyWords(
        "Azure usage is billed in",
        {"usage_month": "the month of the usage.", "following_month": "the month after the usage."},
    ),
    "map_new_subscriptions": PolicyWords(
        "New subscriptions", {"False": "A person maps them.", "True": "They are mapped by themselves."}
    ),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One policy as it is set: what it decides, what happens, and whether a person chose it."""

    name: str
    title: str
    meaning: str
    is_default: bool


def chosen(policies: Policies) -> list[Chosen]:
    """Every policy of a connection in words."""
    defaults = asdict(Policies())
    return [
        Chosen(name, WORDS[name].title, WORDS[name].values.get(str(value), str(value)), value == defaults[name])
        for name, value in asdict(policies).items()
    ]
