"""Finding what a command names."""

from django.core.management.base import CommandError

from connections.models import Connection
from portal.models import Organization


def organization_named(name: str) -> Organization:
    """The organization of that name; CommandError where there is none, or more than one."""
    found = list(Organization.objects.filter(name=name)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"There is more than one organization called {name}.")
    known = ", ".join(Organization.objects.values_list("name", flat=True)[:20])
    raise CommandError(f"There is no organization called {name}. There are: {known or 'none'}.")


def connection_named(name: str, organization: str | None = None) -> Connection:
    """The connection of that name; CommandError where there is none, or more than one."""
    connections = Connection.objects.set_up().filter(name=name)
    if organization is not None:
        connections = connections.filter(organization=organization_named(organization))
    found = list(connections.select_related("organization")[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"There is more than one connection called {name}: name its --organization.")
    raise CommandError(f"There is no connection called {name}.")
