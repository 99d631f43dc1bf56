from __future__ import annotations

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = "History"

    def ready(self) -> None:
        from accounts import belongings
        from telemetry.belongings import HistoryBelongings

        belongings.register(HistoryBelongings())
