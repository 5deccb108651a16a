"""`manage.py verify_audit`: whether the audit log is as it was written."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.audit import breaks
from portal.models import AuditHead, Organization


class Command(BaseCommand):
    help = "Walk every tenant's audit chain. Exit code 0: as written, 1: broken somewhere, 2: no such tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", help="Only the CSP of this name.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Organization.objects.filter(kind=Organization.Kind.CSP).order_by("name", "pk")
        if options["tenant"]:
            tenants = tenants.filter(name=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no CSP called {options['tenant']}.", returncode=2)
        found = [state_of(tenant) for tenant in tenants]
        broken = any(tenant["breaks"] for tenant in found)
        if options["json"]:
            self.stdout.write(json.dumps({"unbroken": not broken, "tenants": found}, indent=2))
        else:
            self.stdout.writelines(lines(found))
        if broken:
            raise SystemExit(1)


def state_of(tenant: Organization) -> dict[str, Any]:
    """One tenant's chain: its length, its last hash (worth keeping elsewhere), and where it does not hold."""
    head = AuditHead.objects.filter(tenant=tenant).first()
    return {
        "tenant": tenant.name,
        "entries": head.sequence if head else 0,
        "last_hash": head.hash if head else "",
        "breaks": [asdict(found) for found in breaks(tenant)],
    }


def lines(found: list[dict[str, Any]]) -> list[str]:
    told = []
    for tenant in found:
        verdict = "does not hold" if tenant["breaks"] else "as written"
        told.append(f"{tenant['tenant']}: {tenant['entries']} entries, {verdict}")
        told += [f"  entry {found['sequence']}: {found['problem']}" for found in tenant["breaks"]]
    return [f"{line}\n" for line in told] or ["No tenant yet.\n"]
