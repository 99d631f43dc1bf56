"""Logging for Django: the product's JSON lines instead of Django's own handlers."""

from __future__ import annotations

from typing import TypedDict

from ems_contract import logs


class LogSettings(TypedDict):
    service: str
    level: str


def configure(settings: LogSettings) -> None:
    """Django calls this once with `settings.LOGGING`."""
    logs.configure(settings["service"], settings["level"])
