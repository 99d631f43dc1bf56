"""Which database a table lives in: the telemetry app's in the history database, everything else in the default one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model

HISTORY_APP = "telemetry"


class HistoryRouter:
    """With one database both names mean `default` and the router changes nothing."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return settings.HISTORY_ALIAS if model._meta.app_label == HISTORY_APP else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == HISTORY_APP:
            return db == settings.HISTORY_ALIAS
        return db == "default"
