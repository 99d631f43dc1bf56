"""What the management commands that run for ever have in common."""

from __future__ import annotations

import os

from django.core.management.base import CommandError


def whole_number(name: str, default: int, least: int, most: int) -> int:
    """An environment variable. Raises CommandError, which names it and says what is allowed."""
    text = os.environ.get(name, "").strip() or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise CommandError(f"{name} is {text!r}: set it to a whole number, {least} to {most}")
    return int(text)
