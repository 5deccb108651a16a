"""Fixtures of the mappings' tests."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from connections.models import Connection
from mappings.actions import Mapped, map_subscription
from portal.audit import Actor
from portal.models import Customer, OfferVariant, Subscription
from tests.cast import make_customer, make_subscription, make_variant
from tests.fake_psa import a_company, a_contract, a_service
from tests.mappings.mirror import make_connection

NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)


@dataclass
class Mapping:
    """What the actions take in common, and the rows that they are tried on."""

    connection: Connection
    customer: Customer
    variant: OfferVariant
    subscription: Subscription
    actor: Actor

    @property
    def common(self) -> dict[str, Any]:
        return {"connection": self.connection, "actor": self.actor, "at": NOW}

    def map(self, **fields: Any) -> Mapped:
        rows = {"company": a_company(), "service": a_service(), "contract": a_contract()}
        return map_subscription(**({"subscription": self.subscription} | rows | self.common | fields))


@pytest.fixture
def mapping(cast) -> Mapping:
    customer, variant = make_customer(cast.csp), make_variant(cast.csp)
    subscription = make_subscription(customer, variant)
    return Mapping(make_connection(cast.csp), customer, variant, subscription, Actor.user(cast.admin))
