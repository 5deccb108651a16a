"""What each policy means in money, on one small example: 10 seats at 5.00, and what changes on 10 May.

The contract is billed by calendar months and its May is open unless an example says otherwise. A row of a bill is
units x unit price x round(days / days of the month, 4), half-up, as Autotask bills it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from portal.currencies import to_minor_unit

SEATS, MAY_DAYS = 10, 31
FOUR_PLACES = Decimal("0.0001")

Show = Callable[[Decimal], str]


@dataclass(frozen=True, slots=True)
class Step:
    """From this day of May on: so many units at this price."""

    day: int
    units: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Example:
    """What happens, and what comes of it per value of the policy."""

    premise: str
    outcomes: dict[str, str]


def part(units: int, price: Decimal, days: int, currency: str) -> Decimal:
    """What `units` cost for `days` of May."""
    share = (Decimal(days) / MAY_DAYS).quantize(FOUR_PLACES, rounding=ROUND_HALF_UP)
    return to_minor_unit(units * price * share, currency)


def bill(currency: str, *steps: Step) -> Decimal:
    """The bill of May: one row per step, each rounded by itself."""
    ends = [step.day for step in steps[1:]] + [MAY_DAYS + 1]
    rows = [part(step.units, step.price, end - step.day, currency) for step, end in zip(steps, ends, strict=True)]
    return sum(rows, start=to_minor_unit(Decimal(0), currency))


def examples(currency: str, show: Show) -> dict[str, Example]:
    """One example per policy, by its name. `show` writes an amount of `currency` for people."""
    sums = _Sums(currency, show)
    return {**_of_seats(sums), **_of_prices(sums), **_of_life(sums), **_of_refusals(sums), **_of_azure(sums)}


def of_mode(currency: str, show: Show) -> Example:
    """What a rehearsal keeps from being billed; the mode is no policy of its own, it stands above all of them."""
    sums = _Sums(currency, show)
    sent = sums.may((10, 12, sums.price))
    return Example(
        f"{sums.seats}, 12 from 10 May.",
        {
            "live": f"May {sent}, June {sums.month(12)}.",
            "rehearse": f"May {sums.month(10)}, June {sums.month(10)}, until it ends.",
        },
    )


class _Sums:
    """Amounts in words: prices in the currency's minor unit, and bills of May and of later months."""

    def __init__(self, currency: str, show: Show) -> None:
        self._currency, self.show = currency, show
        self.price, self.new_price = (to_minor_unit(Decimal(text), currency) for text in ("5.00", "5.50"))
        self.other_price, self.yearly_price = (to_minor_unit(Decimal(text), currency) for text in ("8.00", "54.00"))
        self.usage = to_minor_unit(Decimal("312.40"), currency)
        self.seats = f"{SEATS} seats at {show(self.price)}"

    def may(self, *steps: tuple[int, int, Decimal]) -> str:
        """May after 10 seats from the 1st; each step is (day, units, price)."""
        return self.show(bill(self._currency, Step(1, SEATS, self.price), *(Step(*step) for step in steps)))

    def bought(self, day: int, units: int, price: Decimal) -> str:
        """May of what begins on that day."""
        return self.show(bill(self._currency, Step(day, units, price)))

    def month(self, units: int, price: Decimal | None = None) -> str:
        """A whole month."""
        return self.show(units * (self.price if price is None else price))

    def days(self, units: int, days: int) -> str:
        return self.show(part(units, self.price, days, self._currency))


def _of_seats(sums: _Sums) -> dict[str, Example]:
    more, fewer = (10, 12, sums.price), (10, 8, sums.price)
    eleven = sums.may((10, 11, sums.price))
    return {
        "seat_increase": Example(
            f"{sums.seats}, 12 from 10 May.",
            {
                "on_date": f"May {sums.may(more)}, June {sums.month(12)}.",
                "next_period": f"May {sums.month(10)}, June {sums.month(12)}.",
            },
        ),
        "seat_decrease": Example(
            f"{sums.seats}, 8 from 10 May.",
            {
                "on_date": f"May {sums.may(fewer)}, June {sums.month(8)}.",
                "next_period": f"May {sums.month(10)}, June {sums.month(8)}.",
            },
        ),
        "settle_minutes": Example(
            f"{sums.seats}; on 10 May they become 12, 15 and 11 within five minutes. With 10 minutes one adjustment is "
            f"sent, +1; with 0 up to three are. The bill is the same: May {eleven}, June {sums.month(11)}.",
            {},
        ),
        "map_new_subscriptions": Example(
            f"A customer buys {sums.seats} on 10 May.",
            {
                "False": f"Nothing is billed until a person maps it; then May {sums.bought(10, 10, sums.price)}.",
                "True": f"May {sums.bought(10, 10, sums.price)}, June {sums.month(10)}.",
            },
        ),
    }


def _of_prices(sums: _Sums) -> dict[str, Example]:
    dearer = sums.may((10, SEATS, sums.new_price))
    new = sums.show(sums.new_price)
    return {
        "price_change": Example(
            f"{sums.seats}, {new} from 10 May: May {dearer} either way.",
            {
                "set_price": f"10 May: the price becomes {new}.",
                "zero_and_restore": f"10 May: 10 units off, then 10 units on at {new}.",
            },
        ),
        "margin_date": Example(
            f"{sums.seats}; new margins of 10 May make it {new}.",
            {
                "completion_date": f"May {dearer}, June {sums.month(SEATS, sums.new_price)}.",
                "next_period_start": f"May {sums.month(SEATS)}, June {sums.month(SEATS, sums.new_price)}.",
            },
        ),
    }


def _of_life(sums: _Sums) -> dict[str, Example]:
    same, gone = f"May {sums.month(SEATS)}, June {sums.month(SEATS)}", sums.may((10, 0, sums.price))
    none = sums.show(sums.price * 0)
    moved = sums.bought(10, 4, sums.other_price)
    return {
        "renewal": Example(
            f"{sums.seats}; the contract ends on 31 May, and the new term costs {sums.show(sums.new_price)}.",
            {
                "refuse": f"June {none}, until a person extends the contract.",
                "extend": f"June {sums.month(SEATS)}.",
                "extend_and_reprice": f"June {sums.month(SEATS, sums.new_price)}.",
            },
        ),
        "upgrade": Example(
            f"{sums.seats}; on 10 May 4 of them move to an offer at {sums.show(sums.other_price)}.",
            {
                "refuse": f"{same}, until a person moves them.",
                "pair": f"Old service: May {sums.may((10, 6, sums.price))}. New service: May {moved}.",
            },
        ),
        "cycle_change": Example(
            f"{sums.seats} a month; from 10 May {sums.show(sums.yearly_price)} a year.",
            {
                "refuse": f"{same}, until a person moves them.",
                "move": f"Monthly contract: May {gone}, June {none}. Yearly contract, begun on 10 May: "
                f"{sums.month(SEATS, sums.yearly_price)}.",
            },
        ),
        "reseller_change": Example(
            f"{sums.seats}; from 10 May another reseller sells them.",
            {"refuse": f"{same}, until a person ends it.", "hand_over": f"May {gone}, June {none}."},
        ),
        "licence_suspension": Example(
            f"{sums.seats}, suspended on 10 May.",
            {"leave": f"{same}.", "zero": f"May {gone}, June {none}."},
        ),
    }


def _of_refusals(sums: _Sums) -> dict[str, Example]:
    later = sums.may((20, 15, sums.price))
    return {
        "posted_period": Example(
            f"{sums.seats}, 12 from 10 May; May is posted already.",
            {
                "next_open": f"June {sums.month(12)}. Shortfall of May: {sums.days(2, 22)}.",
                "hold": f"Nothing is sent until a person decides about the {sums.days(2, 22)} of May.",
            },
        ),
        "same_date": Example(
            f"{sums.seats}, 12 sent for 10 May; then 15 the same day.",
            {
                "next_day": f"15 from 11 May on. Shortfall of the one day: {sums.days(3, 1)}.",
                "hold": f"It stays at 12, June {sums.month(12)}, until a person decides.",
            },
        ),
        "after_failure": Example(
            f"{sums.seats}; 12 from 10 May failed, then 15 from 20 May.",
            {
                "continue": f"The 15 are sent: May {later}. The 12 are still open: "
                f"with them May {sums.may((10, 12, sums.price), (20, 15, sums.price))}.",
                "hold_line": f"May {sums.month(SEATS)}, until a person settles the 12.",
            },
        ),
        "foreign_change": Example(
            f"{sums.seats}; on 1 June somebody adds one in Autotask.",
            {"report": f"June {sums.month(11)}, and a note.", "put_back": f"June {sums.month(10)}."},
        ),
    }


def _of_azure(sums: _Sums) -> dict[str, Example]:
    used, none = sums.show(sums.usage), sums.show(sums.usage * 0)
    return {
        "azure_billing": Example(
            f"An Azure plan used {used} in May.",
            {
                "service_price": f"May: 1 unit at {used}, set back to {none} from 1 June on.",
                "contract_charge": f"One charge Azure Plan of {used}.",
            },
        ),
        "azure_period": Example(
            f"An Azure plan used {used} in May.",
            {"usage_month": f"On the bill of May: {used}.", "following_month": f"On the bill of June: {used}."},
        ),
        "reactivation": Example(
            f"An Azure plan is suspended in May, active again in June, and uses {used} a month.",
            {"leave": f"July {none}, and a warning.", "restore": f"July {used}."},
        ),
    }
