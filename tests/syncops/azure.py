"""A desk with an Azure plan on its contract, and what people do with its months."""

from datetime import date
from decimal import Decimal
from typing import Any

from connections import registry
from connections.models import Connection
from portal.audit import Actor
from portal.models import MarginRule
from syncops.azure.amounts import Amount
from syncops.azure.entering import Judged, Origin, enter
from syncops.azure.previews import MonthPreview, preview_months
from syncops.azure.sending import send_month
from syncops.models import AzureMonth, SyncOperation
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import a_service
from tests.syncops.desk import Desk, make_desk

MARCH, APRIL, MAY, JUNE, JULY, AUGUST = (date(2026, month, 1) for month in (3, 4, 5, 6, 7, 8))
BY_HAND = Origin(AzureMonth.Source.PERSON)


def azure_plan(organization: Any, name: str = "Azure plan", customer: Any = None, **fields: Any) -> Any:
    """An Azure plan of 1, bought in January, sold at its cost plus 20 %."""
    variant = make_variant(
        organization.parent or organization,
        title="Azure plan",
        category="azure_plan",
        term="",
        billing="none",
        product_id=f"AZ-{name}",
    )
    MarginRule.objects.get_or_create(
        organization=organization, category="azure_plan", defaults={"kind": "markup", "percent": Decimal(20)}
    )
    defaults = {"created_on": date(2026, 1, 15), "starts_on": date(2026, 1, 15), "ends_on": None, "quantity": 1}
    money = {"list_price": Decimal(0), "erp": Decimal(0), "friendly_name": name, "external_id": name}
    return make_subscription(customer or make_customer(organization), variant, **(defaults | money | fields))


def azure_desk(cast: Any, monkeypatch: Any) -> Desk:
    """A desk on 10 May whose Azure plan has its line since 1 May, with 1 unit at 0."""
    desk = make_desk(cast)
    desk.psa.put_service(a_service(unit_price=Decimal(0), unit_cost=Decimal(0)))
    desk.subscription = azure_plan(cast.csp, customer=desk.subscription.customer)
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: desk.psa)
    desk.map()
    desk.drain()
    desk.psa.applied.clear()
    return desk


def an_amount(desk: Desk, month: date, cost: str = "100.00", **fields: Any) -> Amount:
    fields = {"reservations_cost": Decimal(0), "currency": "EUR", "is_complete": True} | fields
    return Amount(desk.subscription.pk, month, Decimal(cost), **fields)


def entered(desk: Desk, month: date, cost: str = "100.00", **fields: Any) -> AzureMonth:
    """The amount of a month, as a person enters it."""
    [judged] = enter_all(desk, [an_amount(desk, month, cost, **fields)])
    assert judged.is_to_do, judged.problem
    return AzureMonth.objects.get(subscription=desk.subscription, month=month)


def enter_all(desk: Desk, amounts: list[Amount], origin: Origin = BY_HAND) -> list[Judged]:
    actor, now = Actor.user(desk.cast.billing), desk.clock.now
    return enter(desk.subscription.organization, amounts, origin, actor=actor, today=now.date(), now=now)


def previewed(desk: Desk, row: AzureMonth) -> MonthPreview:
    [preview] = preview_months([again(row)], today=desk.clock.now.date())
    return preview


def send(desk: Desk, row: AzureMonth, preview: MonthPreview | None = None) -> SyncOperation:
    preview = preview or previewed(desk, row)
    assert not preview.problem, preview.problem
    code = preview.codes[0] if preview.codes else None
    return send_month(preview, code, actor=desk.cast.billing, now=desk.clock.now)


def sent(desk: Desk, month: date, cost: str = "100.00", **fields: Any) -> AzureMonth:
    """An amount that was entered, sent and proved."""
    row = entered(desk, month, cost, **fields)
    send(desk, row)
    desk.drain()
    return again(row)


def again(row: AzureMonth) -> AzureMonth:
    return AzureMonth.objects.select_related("operation", "subscription__customer").get(pk=row.pk)


def prices(desk: Desk) -> dict[str, str]:
    """What the line bills per unit from each month on, May to August."""
    rows = {row.starts_on: row for row in desk.psa.rows(desk.line)}
    return {f"{day:%b}": f"{rows[day].price:.2f}" for day in (MAY, JUNE, JULY, AUGUST)}


def decide(desk: Desk, **policies: Any) -> None:
    Connection.objects.filter(pk=desk.connection.pk).update(policies_json=policies)
