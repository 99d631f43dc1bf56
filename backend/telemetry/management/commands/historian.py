"""`manage.py historian`: streams -> history, until SIGTERM."""

from __future__ import annotations

import os
import signal
from typing import Any

import django.db
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from psycopg import Connection

from config.commands import whole_number
from config.health_server import HealthServer
from ems_contract import logs
from sites.models import Edge
from telemetry import database, points, streams
from telemetry.compactor import Compactor
from telemetry.historian import Edges, Historian
from telemetry.status import Status

STOP_SECONDS = 10.0
DEFAULT_PORT = 8002
DEFAULT_RETENTION_DAYS = 1_100
"""Three years: what may still arrive, not what is kept."""

log = structlog.get_logger()


class Command(BaseCommand):
    help = (
        "Commits the edges' batches from Redis to history and compacts them. "
        "EMS_HISTORIAN_PORT (8002), EMS_HISTORIAN_HOST (127.0.0.1) say where /healthz and /readyz are, "
        "EMS_RETENTION_DAYS (1100) how old a sample may be."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        logs.configure("historian", os.environ.get("EMS_LOG_LEVEL", "INFO").upper())
        port = whole_number("EMS_HISTORIAN_PORT", DEFAULT_PORT, 0, 65_535)
        retention = whole_number("EMS_RETENTION_DAYS", DEFAULT_RETENTION_DAYS, 1, 36_500)
        host = os.environ.get("EMS_HISTORIAN_HOST", "").strip() or "127.0.0.1"

        status = Status()
        historian = Historian(
            streams.Streams(streams.connect(settings.REDIS_URL)),
            database.parameters(),
            all_edges,
            status,
            retention,
            edges_errors=(django.db.Error,),
        )
        compactor = Compactor(historian, database.parameters(), status, keep_points, (django.db.Error,))
        historian.on_new_points = compactor.nudge
        try:
            health = HealthServer(status, host, port)
        except OSError as error:
            raise CommandError(f"EMS_HISTORIAN_PORT: {host}:{port} cannot be used ({error}); choose another") from None

        def stop(number: int, frame: object) -> None:
            historian.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        health.start()
        compactor.start()
        log.info("started", port=health.port, retention_days=retention)
        historian.run()
        compactor.stop(STOP_SECONDS)
        health.stop()
        django.db.connections.close_all()
        log.info("stopped", **status.report()["counters"])


def all_edges() -> Edges:
    """Every (site, edge) pair there is."""
    for connection in django.db.connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
    return list(Edge.objects.values_list("site_id", "id"))


def keep_points(connection: Connection[Any], sites: list[int]) -> None:
    """Once a minute, in the compactor's thread: not worth a connection that stays open."""
    try:
        points.reconcile(connection, sites)
    finally:
        django.db.connections.close_all()
