"""The audit log refuses changes in the database itself, whoever asks.

Only rows are guarded: emptying a whole table (TRUNCATE, a dropped table) needs the database's own rights, and the hash chain
shows it.
"""

from django.db import migrations

SQLITE = """
CREATE TRIGGER portal_auditentry_no_{name} BEFORE {verb} ON portal_auditentry
BEGIN SELECT RAISE(ABORT, 'Audit entries are never changed or deleted.'); END
"""
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION portal_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'Audit entries are never changed or deleted.' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
POSTGRESQL = """
CREATE TRIGGER portal_auditentry_no_{name} BEFORE {verb} ON portal_auditentry
FOR EACH ROW EXECUTE FUNCTION portal_auditentry_refuse()
"""
GUARDED = (("update", "UPDATE"), ("delete", "DELETE"))


def refuse_changes(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_FUNCTION)
    statement = POSTGRESQL if vendor == "postgresql" else SQLITE
    for name, verb in GUARDED:
        schema_editor.execute(statement.format(name=name, verb=verb))


def allow_changes(apps, schema_editor):
    on_table = " ON portal_auditentry" if schema_editor.connection.vendor == "postgresql" else ""
    for name, _ in GUARDED:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS portal_auditentry_no_{name}{on_table}")
    if on_table:
        schema_editor.execute("DROP FUNCTION IF EXISTS portal_auditentry_refuse()")


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
