"""Makes a database ready for the demonstration: tables, static files, and what there is to look at."""

import time
from collections.abc import Callable
from datetime import date

from django.core.management import call_command

from syncops.demo.azure import show_azure
from syncops.demo.seed import SYNCED, seed
from syncops.demo.tenant import Tenant


def prepare(today: date, *, say: Callable[[str], None], synced: int = SYNCED, static: bool = True) -> Tenant:
    """Do what is missing; `today` is the day that the sandbox's ledgers were made."""
    began = time.monotonic()

    def timed(words: str) -> None:
        nonlocal began
        say(f"  {words} ({time.monotonic() - began:.1f} s)")
        began = time.monotonic()

    call_command("migrate", interactive=False, verbosity=0)
    timed("Tables")
    if static:
        call_command("collectstatic", interactive=False, verbosity=0)
        timed("Static files")
    tenant = seed(today, say=timed, synced=synced)
    if synced:
        show_azure(tenant, say=timed)
    return tenant
