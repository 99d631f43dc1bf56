"""A message's payload -> a value in the point's unit. Pure, and never raises, whatever was sent.

Numbers may come as JSON or as plain text, booleans are 0 and 1, texts need a name in the point's `values`. Empty, null
and the words that gateways use for "none" are no_value, and so is a path that leads nowhere; what is not UTF-8, not
JSON, not a number or longer than a megabyte is garbled.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.drivers.mqtt_source import Path, TopicSource

MAX_BYTES = 1 << 20
_NONE = frozenset({"", "null", "none", "nan", "unknown", "unavailable"})
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,300}(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_MILLISECONDS = 1e11
"""A time above it is in ms: in seconds it would be the year 5138."""
_NO_TIME = 1e15
"""Nor is it one in ms from here on; a number may have hundreds of digits, and fit in no float."""

_UNREAD = object()

Found = int | float | bool | str | Reason


class Payload:
    """One payload, parsed once for all points that are in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._json: object = _UNREAD

    def at(self, path: Path | None) -> Found:
        """What stands there, or why nothing does."""
        if len(self.data) > MAX_BYTES:
            return Reason.GARBLED
        if path is None:
            return self._text()
        found: Any = self._parsed()
        if isinstance(found, Reason):
            return found
        for step in path:
            inside = isinstance(found, list) and isinstance(step, int) and step < len(found)
            if not inside and not (isinstance(found, dict) and step in found):
                return Reason.NO_VALUE
            found = found[step]
        if found is None:
            return Reason.NO_VALUE
        return found if isinstance(found, int | float | str) else Reason.GARBLED

    def _text(self) -> str | Reason:
        try:
            return self.data.decode().strip()
        except UnicodeDecodeError:
            return Reason.GARBLED

    def _parsed(self) -> object:
        if self._json is _UNREAD:
            try:
                self._json = msgspec.json.decode(self.data) if self.data else Reason.NO_VALUE
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._json = Reason.GARBLED
        return self._json

    def value(self, source: TopicSource) -> Value:
        found = self.at(source.path)
        number = found if isinstance(found, Reason) else _number(found, source.values)
        return number if isinstance(number, Reason) else source.scaling.value(number)

    def time(self, path: Path | None) -> float | None:
        """The payload's own time, s since the epoch: a number (s or ms) or ISO 8601 with offset. None: it has none."""
        found = self.at(path) if path is not None else Reason.NO_VALUE
        if isinstance(found, str) and not isinstance(found, Reason):
            try:
                instant = dt.datetime.fromisoformat(found)
                return instant.timestamp() if instant.tzinfo is not None else None
            except (ValueError, OverflowError):
                return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _NO_TIME:
            return None
        return found / 1000 if found > _MILLISECONDS else float(found)


def _number(found: int | float | bool | str, values: Mapping[str, float]) -> int | float | Reason:
    if values:
        named = values.get(str(found).lower() if isinstance(found, bool) else str(found))
        if named is not None:
            return named
    if not isinstance(found, str):
        return found
    text = found.strip()
    if text.lower() in _NONE:
        return Reason.NO_VALUE
    if text in ("true", "false"):
        return int(text == "true")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return Reason.OUT_OF_RANGE if values else Reason.GARBLED
