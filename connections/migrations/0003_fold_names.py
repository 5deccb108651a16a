from django.db import migrations, models

from portal.folding import folded

BATCH = 1000
TABLES = ("MirroredCompany", "MirroredService", "MirroredContract")


def fold(apps, schema_editor):
    """Names in the mirror are found without their accents at once, not only after the next refresh."""
    for name in TABLES:
        rows = apps.get_model("connections", name).objects
        changed = []
        for row in rows.only("search_name").iterator(chunk_size=BATCH):
            text = folded(row.search_name, at_most=150)
            if text != row.search_name:
                row.search_name = text
                changed.append(row)
            if len(changed) == BATCH:
                rows.bulk_update(changed, ["search_name"])
                changed = []
        rows.bulk_update(changed, ["search_name"])


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_initial")]

    operations = [
        migrations.AlterField(
            model_name="mirroredcompany",
            name="search_name",
            field=models.CharField(help_text="Folded for searching.", max_length=150),
        ),
        migrations.RunPython(fold, migrations.RunPython.noop),
    ]
