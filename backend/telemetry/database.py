"""The history database as Django's settings name it, for code that speaks psycopg."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

_DJANGO_OPTIONS = ("pool", "isolation_level", "server_side_binding", "assume_role", "context", "cursor_factory")


def parameters() -> dict[str, Any]:
    """For `store.connect`: a connection of one's own, beside Django's."""
    configured = connections[settings.HISTORY_ALIAS].settings_dict
    named = {
        "dbname": configured["NAME"],
        "user": configured["USER"],
        "password": configured["PASSWORD"],
        "host": configured["HOST"],
        "port": configured["PORT"],
    }
    options = {key: value for key, value in configured["OPTIONS"].items() if key not in _DJANGO_OPTIONS}
    return {key: value for key, value in named.items() if value} | options


def connection() -> psycopg.Connection[Any]:
    """This thread's Django connection, as psycopg's; its life is Django's business."""
    alias = connections[settings.HISTORY_ALIAS]
    alias.close_if_health_check_failed()  # Django itself checks only before a cursor of its own
    alias.ensure_connection()
    raw: psycopg.Connection[Any] = alias.connection
    return raw
