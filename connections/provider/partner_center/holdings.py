"""All that a customer holds, compared at once."""

from collections import Counter

from connections.provider.partner_center.hints import put_off
from connections.provider.partner_center.listing import Bought
from connections.provider.partner_center.progress import Progress
from connections.provider.partner_center.recording import Held, Outcome, Recorder, migrations


def compare_all(recorder: Recorder, held: Held, bought: Bought, progress: Progress | None = None) -> Counter[Outcome]:
    """How many came out how; those that took others over go first, and what has to wait is looked at again."""
    taken, found = migrations(bought.subscriptions), Counter[Outcome]()
    for one in sorted(bought.subscriptions, key=lambda one: not one.migrated_from_subscription_id):
        outcome = recorder.compare(held, one, migrated_to=taken.get(one.id.casefold(), ""))
        found[outcome] += 1
        if outcome is Outcome.LATER:
            put_off(recorder.connection, held.customer.external_id, one.id, now=recorder.now)
    if progress is not None:
        progress.count("subscriptions", sum(found.values()))
        for outcome, number in found.items():
            progress.count(outcome.value, number)
    return found
