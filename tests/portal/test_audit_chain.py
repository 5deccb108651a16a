import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from portal.audit import Actor, breaks, masked, record
from portal.models import AuditEntry, AuditHead
from tests.cast import make_cast


@pytest.fixture
def written(cast):
    """Three entries of one tenant and one of another."""
    record("Something Else", actor=Actor.system("test"), organization=cast.other_csp)
    return [
        record(f"Thing {n}", actor=Actor.user(cast.admin), organization=organization)
        for n, organization in enumerate((cast.csp, cast.reseller, cast.csp), start=1)
    ]


@pytest.fixture
def unguarded(written):
    """The log without its triggers, as somebody with the database's own rights could make it."""
    connection.check_constraints()  # PostgreSQL drops no trigger while others wait for the end of the transaction
    on_table = " ON portal_auditentry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER portal_auditentry_no_{name}{on_table}")
    return written


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["update portal_auditentry set subject = 'x'", "delete from portal_auditentry"])
def test_the_database_itself_refuses_changes(written, change):
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(change)
    assert AuditEntry.objects.count() == 4


def test_a_reseller_writes_into_the_chain_of_its_csp(cast, written):
    assert [entry.sequence for entry in written] == [1, 2, 3]
    assert {entry.tenant_id for entry in written} == {cast.csp.pk}


def test_what_was_written_holds(cast, written):
    assert list(breaks(cast.csp)) == []


def test_an_edited_entry_is_found(cast, unguarded):
    AuditEntry.objects.filter(pk=unguarded[1].pk).update(subject="something else")
    assert [(found.sequence, found.problem) for found in breaks(cast.csp)] == [(2, "was edited after it was written")]


def test_a_removed_entry_is_found(cast, unguarded):
    AuditEntry.objects.filter(pk=unguarded[1].pk).delete()
    assert [found.sequence for found in breaks(cast.csp)] == [2]


def test_a_removed_end_is_found(cast, unguarded):
    AuditEntry.objects.filter(pk=unguarded[2].pk).delete()
    assert [found.problem for found in breaks(cast.csp)] == ["entries 3 to 3 are missing at the end"]


def test_a_whole_chain_forged_with_another_key_is_found(cast, unguarded, settings):
    settings.AUDIT_KEY = "another key that the forger made up himself"
    assert len(list(breaks(cast.csp))) == 3


def test_the_command_says_that_all_is_well(cast, written):
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue().splitlines() == [
        "Alder Cloud: 3 entries, as written",
        "Stranger Cloud: 1 entries, as written",
    ]


def test_the_command_ends_with_1_and_names_the_place(cast, unguarded):
    AuditEntry.objects.filter(pk=unguarded[1].pk).update(subject="something else")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--json", stdout=out)
    assert ended.value.code == 1
    told = json.loads(out.getvalue())
    assert told["unbroken"] is False
    assert told["tenants"][0]["breaks"] == [{"sequence": 2, "problem": "was edited after it was written"}]
    assert told["tenants"][0]["last_hash"] == AuditHead.objects.get(tenant=cast.csp).hash


def test_the_command_refuses_a_tenant_that_is_not_there(cast):
    with pytest.raises(CommandError, match="no CSP called Nobody") as refused:
        call_command("verify_audit", "--tenant", "Nobody")
    assert refused.value.returncode == 2


def test_secrets_are_masked_and_a_changed_one_is_still_seen(db):
    before, after = masked({"api_secret": "one", "user": "u"}), masked({"api_secret": "two", "user": "u"})
    assert "one" not in str(before)
    assert before != after
    assert before["user"] == "u"


@pytest.mark.django_db(transaction=True)
def test_a_test_with_real_transactions_can_write_entries():
    record("Thing", actor=Actor.system("test"), organization=make_cast().csp)


@pytest.mark.django_db(transaction=True)
def test_the_guard_is_there_again_after_the_tables_were_emptied():
    record("Thing", actor=Actor.system("test"), organization=make_cast().csp)
    with pytest.raises(DatabaseError, match="never changed"):
        AuditEntry.objects.update(subject="x")
