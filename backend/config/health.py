"""`/healthz`: the process is alive. `/readyz`: it can do its work; 503 names what is missing."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config.redis import client


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def _database(alias: str) -> str | None:
    """None, or why this database cannot be used yet."""
    connection = connections[alias]
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"not reachable ({type(error).__name__})"
    return f"{len(pending)} migrations are not applied; run manage.py migrate" if pending else None


def _redis() -> str | None:
    try:
        client().ping()
    except redis.RedisError as error:
        return f"not reachable ({type(error).__name__})"
    return None


def readyz(request: HttpRequest) -> JsonResponse:
    aliases = dict.fromkeys(("default", settings.HISTORY_ALIAS))
    checks = {("postgresql" if alias == "default" else alias): _database(alias) for alias in aliases}
    checks["redis"] = _redis()
    missing = {name: why for name, why in checks.items() if why is not None}
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready"})
