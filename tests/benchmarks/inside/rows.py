"""Full tables: one real row of each kind, written many times over by the database itself."""

from collections.abc import Mapping

from django.db import connection, models, transaction

from connections.models import Connection, MirroredCompany
from portal.models import AuditHead, Customer, Organization, Subscription
from syncops.models import SyncOperation
from tests.benchmarks.far_side import FORMS, TRADES, WORDS

SMALL = 60  # rows of the other tenant, the oldest of all
FIRST = 1_000_000  # ids of the copies begin behind it
KEY = "lower(hex(randomblob(16)))"


def _word(words: tuple[str, ...], step: int) -> str:
    """One of `words` by n, as SQL."""
    cases = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(words))
    return f"(CASE (n / {step}) %% {len(words)} {cases} END)"


NAME = f"{_word(WORDS, 1)} || ' ' || {_word(TRADES, len(WORDS))} || ' ' || n || ' ' || {_word(FORMS, 7)}"


def fill_lists(count: str) -> dict[str, int]:
    """`count` customers, subscriptions, operations and audit entries of a CSP and its reseller.

    The first SMALL of each belong to another tenant. The answer is an id from the middle of each list.
    """
    operation = SyncOperation.objects.select_related("audit_began__ended_by").latest("pk")
    owner, rows = _owners(), int(count)
    same_row = dict.fromkeys(("customer_id", "subscription_id", "stream_id", "mapping_id"), f"{FIRST} + n")
    with transaction.atomic():
        customer = Customer.objects.earliest("pk")
        name = {"name": NAME, "search_text": f"lower({NAME})", "external_id": "'tenant-' || n"}
        copy(customer, rows, {"organization_id": owner} | name)
        subscription = Subscription.objects.earliest("pk")
        copy(subscription, rows, same_row | {"organization_id": owner, "key": KEY, "external_id": "'BULK-' || n"})
        copy(operation.mapping, rows, same_row | {"line_id": f"{FIRST} + n"})
        copy(operation.stream, rows, same_row)
        copy(operation, rows, same_row | {"organization_id": owner, "correlation_id": KEY, "change_id": "NULL"})
        _fill_audit(operation, rows // 2, owner)
    deep = FIRST + rows // 2
    return {"operations": deep, "subscriptions": deep, "customers": deep, "audit": FIRST + rows - rows // 2}


def fill_companies(count: str) -> dict[str, int]:
    """Companies in the mirror, and where a picker of them is: ids of the connection and of a subscription."""
    far = Connection.objects.get()
    with transaction.atomic():
        first = MirroredCompany.objects.filter(remote_id__gt=0).earliest("pk")
        copy(first, int(count), {"remote_id": f"{FIRST} + n", "name": NAME, "search_name": f"lower({NAME})"})
    return {"connection": far.pk, "subscription": Subscription.objects.earliest("pk").pk}


def copy(row: models.Model, count: int, changed: Mapping[str, str], *, id: str = f"{FIRST} + n") -> None:
    """Insert `count` copies of a row, numbered n = 1, 2, …; `changed` are columns as SQL expressions of n.

    Names in `changed` that the row does not have are passed over.
    """
    fields = row._meta.concrete_fields
    columns = [field.column for field in fields]
    pk = row._meta.pk.column
    chosen = [id if name == pk else changed.get(name, f"template.{name}") for name in columns]
    table = row._meta.db_table
    sql = (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(chosen)} FROM numbers, {table} AS template WHERE template.{pk} = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [count, row.pk])


def _fill_audit(operation: SyncOperation, pairs: int, owner: str) -> None:
    """Beginnings and ends, as the log of things that take time holds them; their hashes are not right."""
    began = operation.audit_began
    assert began is not None
    head = AuditHead.objects.get(tenant_id=began.tenant_id)
    common = {"organization_id": owner, "customer_id": f"{FIRST} + n", "subscription_id": f"{FIRST} + n"}
    for entry, place, began_id in ((began, "2 * n - 1", "NULL"), (began.ended_by, "2 * n", f"{FIRST} + 2 * n - 1")):
        own = {"sequence": f"{head.sequence} + {place}", "began_id": began_id, "correlation_id": KEY}
        copy(entry, pairs, common | own, id=f"{FIRST} + {place}")


def _owners() -> str:
    """Whose row n is: a few of the other tenant, a quarter of the reseller, the rest of the CSP."""
    csp = Organization.objects.get(name="Alder Cloud")
    other = Organization.objects.get(name="Stranger Cloud")
    reseller = Organization.objects.get(parent=csp)
    return f"CASE WHEN n <= {SMALL} THEN {other.pk} WHEN n %% 4 = 0 THEN {reseller.pk} ELSE {csp.pk} END"
