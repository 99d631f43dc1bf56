"""`manage.py history_bench`: history's own figures on this machine, one line each."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from telemetry import bench, database


class Command(BaseCommand):
    help = "Measures ingest, compaction, bytes and queries in a scratch database, and the way through Redis."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--samples", type=int, default=720_000, help="for the part without Redis")
        parser.add_argument("--days", type=int, default=30, help="of 1 min history for the part through Redis; 0: skip")

    def handle(self, *args: Any, **options: Any) -> None:
        with bench.scratch_database(database.parameters()) as parameters:
            for figure in bench.store_figures(parameters, options["samples"]):
                self.stdout.write(str(figure))
            if options["days"]:
                for figure in bench.redis_figures(parameters, settings.REDIS_URL, options["days"]):
                    self.stdout.write(str(figure))
