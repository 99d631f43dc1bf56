"""The history schema, as SQL: its readers and writers use psycopg and numpy, not the ORM."""

from pathlib import Path

from django.db import migrations

BACKWARDS = """
DROP VIEW sample;
DROP FUNCTION samples, history_batch, history_quality, history_runs, history_time, history_ms;
DROP TABLE rollup_1h, rollup_15m, rollup_1m, segment, gap, poison, batch, receipt, point;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text("utf-8"), BACKWARDS)]
