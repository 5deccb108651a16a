"""A kind of import to try the way of files with: customers get the domain that the file says."""

from datetime import UTC, datetime

from portal.actions.imports import start_import
from portal.audit import Actor
from portal.imports import Choice, Effect, Kind, Place, Verdict, refused
from portal.models import Customer
from portal.sheet_reading import Column

NOW = datetime(2026, 5, 10, 9, tzinfo=UTC)


def place(organization_id, place_id):
    return Place(place_id, "Domains", organization_id, "/customers/") if place_id == organization_id else None


def judge(run, rows):
    mine = {one.external_id: one for one in Customer.objects.filter(organization=run.organization_id)}
    return [_verdict(mine.get(row.cells["Key"]), row.cells["Domain"]) for row in rows]


def _verdict(customer, domain):
    if customer is None:
        return refused("", ("There is no such customer.", "Look again."))
    if not domain:
        return Verdict(Effect.SKIP, customer.name)
    keys = {"ours_key": str(customer.pk), "theirs_key": domain}
    if customer.domain == domain:
        return Verdict(Effect.SAME, customer.name, **keys)
    target = {"customer": customer.pk, "domain": domain, "before": customer.domain}
    effect = Effect.CHANGE if customer.domain else Effect.CREATE
    return Verdict(effect, customer.name, f"Gets {domain}.", target=target, money=(("This period", 5, "EUR"),), **keys)


def apply(run, row, actor, now):
    if row.target["domain"] == "refused.example":
        return [("Not that one.", "Choose another.")]
    Customer.objects.filter(pk=row.target["customer"]).update(domain=row.target["domain"])
    return []


KIND = Kind(
    name="domains",
    title="Import domains",
    lead="Which customer has which domain.",
    permission="mappings.map",
    audit_name="Import Domains",
    columns=(Column("Key"), Column("Domain")),
    place=place,
    judge=judge,
    apply=apply,
    choices=(Choice("since", "From", (("today", "Today"), ("term", "The term"))),),
)


def handed_in(cast, *rows, header="Key,Domain", now=NOW):
    """A file that the administrator hands in; its dry run has not begun."""
    content = "\n".join([header, *rows]).encode()
    place = KIND.place(cast.csp.pk, cast.csp.pk)
    actor = Actor.user(cast.admin)
    return start_import(
        KIND, place, content=content, name="domains.csv", options={"since": "today"}, actor=actor, now=now
    )
