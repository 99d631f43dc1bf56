"""The shape of a log line, the same in every service: one JSON object with ts, level, service, event, request_id.

Secrets never reach a line: fields named like one, API keys, access tokens, JWTs and credentials in URLs are
replaced.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

_SECRET_FIELDS = re.compile(
    r"(^|_)(password|passwd|secret|token|refresh|access|authorization|cookie|api_?key|credential)s?$",
    re.IGNORECASE,
)
_SECRET_VALUES = re.compile(
    r"ems_[A-Za-z0-9]{4,}_[A-Za-z0-9_-]{8,}|emt_[0-9]+_[0-9a-f]+_[A-Za-z0-9_-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=://)(?=[^\s\"]{0,200}:)[^\s\"]{1,400}(?=@)"
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Replace API keys, access tokens, JWTs and URL credentials inside a text."""
    return _SECRET_VALUES.sub(REDACTED, text)


def _redact_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET_FIELDS.search(name):
            event[name] = REDACTED
        elif isinstance(value, dict):
            _redact_fields(None, "", value := dict(value))
            event[name] = value
    return event


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    order = ("ts", "level", "service", "event", "request_id")
    first = {name: event.pop(name) for name in order if name in event}
    return redact(msgspec.json.encode({**first, **event}, enc_hook=repr).decode())


def configure(service: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's logging to stderr as JSON lines. Call once at process start."""

    def add_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        add_service,
        structlog.processors.format_exc_info,
        _redact_fields,
    ]
    structlog.configure(
        processors=[
            *(step for step in shared if not isinstance(step, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
