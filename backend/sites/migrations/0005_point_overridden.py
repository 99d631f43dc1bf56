"""What a person says about a point stands; what its edge says about the same is kept beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sites", "0004_audited")]

    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            model_name="point",
            name="overridden",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
    ]
