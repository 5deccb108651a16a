"""Where a mapped subscription stands: synced, syncing, out of sync, with what could not be mended beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.urls import reverse

from mappings.models import SubscriptionMapping
from portal.currencies import to_minor_unit
from portal.panels import Badge
from syncops.models import Shortfall, SyncOperation

TONES = {"Synced": "ok", "Syncing": "info", "Rehearsed": "warn", "Out of sync": "bad"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Synced, Syncing, Out of sync, or Rehearsed where what is open waits for the connection to go live. `missing` is
    the money of recorded shortfalls by currency.
    """

    text: str
    missing: Mapping[str, Decimal]

    @property
    def tone(self) -> str:
        return TONES[self.text]


def standings(subscription_ids: Sequence[int]) -> dict[int, Standing]:
    """The standing of every mapped subscription among these, in three queries whatever their number.

    Unsupported, dismissed, superseded and nothing-to-send operations do not count; of the line that a subscription came
    from, what has not come to an end does.
    """
    mapped = SubscriptionMapping.objects.open().filter(subscription_id__in=subscription_ids)
    mappings = dict(mapped.values_list("pk", "subscription_id"))
    states: dict[int, set[str]] = {pk: set() for pk in mappings.values()}
    unmatched: set[int] = set()
    moved = Q(after__mapping__in=mappings, after__subscription=F("subscription"))
    left = moved & Q(state__in=(*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON))
    here = Q(mapping_id__in=mappings, state__in=SyncOperation.COUNTS)
    counted = SyncOperation.objects.filter(here | left).order_by("pk")
    for pk, state, matched in counted.values_list("subscription_id", "state", "proof__matched"):
        states[pk].add(state)
        if state == SyncOperation.State.SUCCEEDED:
            (unmatched.discard if matched else unmatched.add)(pk)
    missing = _missing(list(states))
    return {
        pk: Standing(_word(found, last_proof_matched=pk not in unmatched), missing.get(pk, {}))
        for pk, found in states.items()
    }


def _word(states: set[str], *, last_proof_matched: bool) -> str:
    if states & set(SyncOperation.NEEDS_A_PERSON):
        return "Out of sync"
    if states & set(SyncOperation.MOVING):
        return "Syncing"
    if SyncOperation.State.REHEARSED in states:
        return "Rehearsed"
    return "Synced" if states and last_proof_matched else "Out of sync"


def _missing(subscription_ids: Sequence[int]) -> dict[int, dict[str, Decimal]]:
    rows = (
        Shortfall.objects.filter(stream__subscription_id__in=subscription_ids)
        .exclude(settled_by__state=SyncOperation.State.SUCCEEDED)
        .values_list("stream__subscription_id", "currency")
        .annotate(total=Sum("amount"))
    )
    found: dict[int, dict[str, Decimal]] = {}
    for pk, currency, total in rows:
        if total:
            found.setdefault(pk, {})[currency] = to_minor_unit(total, currency)
    return found


def badges(subscription_ids: Sequence[int]) -> dict[int, Badge]:
    """The badge of every mapped subscription on a list."""
    return {
        pk: Badge(standing.tone, standing.text, reverse("syncops:operation_list") + f"?subscription={pk}")
        for pk, standing in standings(subscription_ids).items()
    }
