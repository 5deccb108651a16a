"""Re-encrypting stored secrets, so that an old key can be taken off the list."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from connections import vault
from connections.models import ConnectionSecret


@dataclass
class Rotation:
    """What was done: secrets under each key before, how many were re-encrypted, and which could not be opened."""

    before: Counter[str] = field(default_factory=Counter)
    rotated: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate_keys() -> Rotation:
    """Encrypt every secret with the first key of the list, row by row: it may be stopped and started again."""
    done, current = Rotation(), vault.current_key_id()
    for pk in list(ConnectionSecret.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            locked = ConnectionSecret.objects.select_for_update(of=("self",), no_key=True)
            secret = locked.select_related("connection__organization").filter(pk=pk).first()
            if secret is None:
                continue
            key = vault.key_id(secret.ciphertext)
            done.before[key] += 1
            if key == current:
                continue
            try:
                value = secret.reveal()
            except vault.CannotDecrypt:
                done.unreadable.append(str(secret))
                continue
            secret.ciphertext = vault.encrypt(value, bound_to=secret.binding(secret.connection, secret.name))
            secret.save(update_fields=["ciphertext"])
            done.rotated += 1
    return done
