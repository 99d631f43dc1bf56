"""`manage.py worker`: everything that must happen outside of a request, until SIGTERM."""

from __future__ import annotations

import os
import signal
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError

from config.commands import whole_number
from config.health_server import HealthServer
from ems_contract import logs
from worker.jobs import JOBS
from worker.supervisor import Supervisor

DEFAULT_PORT = 8003

log = structlog.get_logger()


class Command(BaseCommand):
    help = (
        "Announces changes of access, seals the audit log, cleans up. Several may run side by side. "
        "EMS_WORKER_PORT (8003), EMS_WORKER_HOST (127.0.0.1) say where /healthz and /readyz are."
    )

    requires_system_checks = ()  # it serves no views: what is wrong there must not stop it

    def handle(self, *args: Any, **options: Any) -> None:
        logs.configure("worker", os.environ.get("EMS_LOG_LEVEL", "INFO").upper())
        port = whole_number("EMS_WORKER_PORT", DEFAULT_PORT, 0, 65_535)
        host = os.environ.get("EMS_WORKER_HOST", "").strip() or "127.0.0.1"
        supervisor = Supervisor(JOBS)
        try:
            health = HealthServer(supervisor.status, host, port)
        except OSError as error:
            raise CommandError(f"EMS_WORKER_PORT: {host}:{port} cannot be used ({error}); choose another") from None

        def stop(number: int, frame: object) -> None:
            supervisor.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        health.start()
        log.info("started", port=health.port, jobs=[job.name for job in JOBS])
        supervisor.run()
        health.stop()
        log.info("stopped")
