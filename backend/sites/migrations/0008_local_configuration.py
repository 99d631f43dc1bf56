"""What an edge computes, reports and controls by itself; what it says of its configuration; points' defaults."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sites", "0007_edge_key_session")]

    operations = [
        migrations.AddField("edge", "derived", models.JSONField(blank=True, default=list)),
        migrations.AddField("edge", "reporting", models.JSONField(blank=True, default=list)),
        migrations.AddField("edge", "rules", models.JSONField(blank=True, default=list)),
        migrations.AddField(
            "edge", "config_revision", models.CharField(blank=True, default="", editable=False, max_length=64)
        ),
        migrations.AddField(
            "edge", "config_problem", models.CharField(blank=True, default="", editable=False, max_length=500)
        ),
        migrations.AddField("edge", "config_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("point", "default", models.FloatField(blank=True, null=True)),
    ]
