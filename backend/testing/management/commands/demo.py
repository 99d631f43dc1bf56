"""`manage.py demo --out FILE`: two organizations, four simulated sites and people of every role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from testing import demo
from testing.demo_data import SITES


class Command(BaseCommand):
    help = "Makes the demo, or completes it. Passwords and API keys are generated and kept in FILE (0600)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="where the password and the edges' keys are kept")
        parser.add_argument("--modbus-host", default="127.0.0.1", help="where the simulator is")
        parser.add_argument("--modbus-port", type=int, default=5020, help="the first site's port; the others follow")
        parser.add_argument("--bacnet-port", type=int, default=47820, help="the UDP port of the BACnet device")
        parser.add_argument("--poll-interval", type=float, default=1.0, help="s between two reads of a device")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENV.mode == "production":
            raise CommandError("EMS_ENV is production: demo accounts do not belong there.")
        if not 0.1 <= options["poll_interval"] <= 3600:
            raise CommandError(f"--poll-interval {options['poll_interval']}: choose from 0.1 to 3600 s.")
        if not 1 <= options["modbus_port"] <= 65535 - len(SITES):
            raise CommandError(f"--modbus-port {options['modbus_port']}: choose from 1 to 65531.")
        if not 1 <= options["bacnet_port"] <= 65535:
            raise CommandError(f"--bacnet-port {options['bacnet_port']}: choose from 1 to 65535.")
        path: Path = options["out"]
        simulator = demo.Simulator(options["modbus_host"], options["modbus_port"], options["bacnet_port"])
        try:
            made = demo.make(demo.read_file(path), simulator, options["poll_interval"])
            demo.write_file(path, made)
        except demo.BadDemoFile as error:
            raise CommandError(str(error)) from error
        except redis.RedisError as error:
            raise CommandError(f"Redis does not answer ({type(error).__name__}); check EMS_REDIS_URL.") from error
        self.stdout.write(f"{len(made.accounts)} accounts and {len(made.edges)} edges; see {path}")
