"""Counters for `/metrics`, in Prometheus' text format. Names of users, sites and addresses are no labels here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_HELP = {
    "batches": "Batches heard from Redis and accepted, once for each process.",
    "dropped": "Payloads heard from Redis and not forwarded, by reason.",
    "deliveries": "Batches handed to sessions.",
    "bytes": "Bytes handed to sessions.",
    "alerts": "Alert frames handed to sessions.",
    "commands": "Frames of commands and of rules handed to sessions.",
    "gaps": "Gap notices, by reason.",
    "closes": "Connections closed by this service, by code.",
    "refused": "Handshakes refused, by reason.",
    "validations": "Tokens presented to the backend, by outcome.",
    "grants_cached": "Grants taken from the cache instead.",
    "errors": "Faults of this service that cost one message or one session.",
}


class Metrics:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def count(self, name: str, amount: int = 1, **label: str) -> None:
        """At most one label: `count("closes", code="4413")`."""
        key, value = next(iter(label.items()), ("", ""))
        self._counts[name, key, value] += amount

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """`read` is called at each scrape."""
        self._gauges[name] = (meaning, read)

    def value(self, name: str, **label: str) -> int:
        key, value = next(iter(label.items()), ("", ""))
        return self._counts[name, key, value]

    def total(self, name: str) -> int:
        return sum(amount for (counted, _, _), amount in self._counts.items() if counted == name)

    def render(self) -> str:
        lines: list[str] = []
        for name, meaning in _HELP.items():
            full = f"ems_realtime_{name}_total"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} counter"]
            for (counted, key, value), amount in sorted(self._counts.items()):
                if counted == name:
                    lines.append(f'{full}{{{key}="{value}"}} {amount}' if key else f"{full} {amount}")
        for name, (meaning, read) in self._gauges.items():
            full = f"ems_realtime_{name}"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} gauge", f"{full} {read():g}"]
        return "\n".join(lines) + "\n"
