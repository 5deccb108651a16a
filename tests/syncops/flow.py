"""The way from a subscription's page to a confirmed sync, as a browser without JavaScript walks it."""

from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from connections import registry
from tests.mappings.mirror import company_row, service_row
from tests.syncops.desk import NOON, Desk


@dataclass
class Flow:
    desk: Desk
    client: Client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk, name)

    def url(self, name: str) -> str:
        return reverse(f"syncops:{name}", args=[self.desk.subscription.pk])

    def posted(self, **fields: Any) -> dict[str, Any]:
        chosen = {"connection": self.desk.connection.pk, "company": 1, "service": 10, "contract": 100}
        return {name: value for name, value in (chosen | fields).items() if value is not None}

    def fields(self, **asked: Any) -> Any:
        return self.client.get(self.url("sync_to_connection"), asked)

    def preview(self, **fields: Any) -> Any:
        return self.client.post(self.url("sync_preview"), self.posted(**fields))

    def confirm(self, **fields: Any) -> Any:
        return self.client.post(self.url("sync_confirm"), self.posted(**fields))


def make_flow(desk: Desk, client: Client, monkeypatch: Any, time_machine: Any) -> Flow:
    """The desk's connection answers from memory, its mirror is filled, and it is noon."""
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: desk.psa)
    company_row(desk.connection, 1, "Contoso")
    service_row(desk.connection, 10, "Microsoft 365 Business Basic")
    time_machine.move_to(NOON, tick=False)
    client.force_login(desk.cast.admin)
    return Flow(desk, client)
