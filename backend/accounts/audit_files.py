"""The audit log as a file: CSV for spreadsheets, NDJSON for programs; one event a line, newest first."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Line:
    """What a csv.writer writes to: keeps the last line."""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def as_csv(columns: Iterable[str], events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """RFC 4180, with a line of names. No cell can be a formula: one that looks like it begins with an apostrophe."""
    line = _Line()
    writer = csv.writer(line)
    columns = list(columns)
    writer.writerow(columns)
    yield line.text
    for event in events:
        writer.writerow([_cell(event[name]) for name in columns])
        yield line.text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = (
        json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    )
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_FORMULA) else text


def as_ndjson(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for event in events:
        yield json.dumps(event, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"
