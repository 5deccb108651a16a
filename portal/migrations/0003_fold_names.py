from django.db import migrations, models

from portal.folding import folded

BATCH = 1000
TABLES = ("Customer", "Subscription", "OfferVariant")


def fold(apps, schema_editor):
    """What was stored in lower case alone is stored without accents from now on."""
    for name in TABLES:
        rows = apps.get_model("portal", name).objects
        changed = []
        for row in rows.only("search_text").iterator(chunk_size=BATCH):
            text = folded(row.search_text)
            if text != row.search_text:
                row.search_text = text
                changed.append(row)
            if len(changed) == BATCH:
                rows.bulk_update(changed, ["search_text"])
                changed = []
        rows.bulk_update(changed, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_audit_triggers")]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name="search_text",
            field=models.CharField(
                db_index=True, editable=False, help_text="Name and domain, folded for searching.", max_length=500
            ),
        ),
        migrations.AlterField(
            model_name="offervariant",
            name="search_text",
            field=models.CharField(db_index=True, editable=False, help_text="Folded for searching.", max_length=500),
        ),
        migrations.RunPython(fold, migrations.RunPython.noop),
    ]
