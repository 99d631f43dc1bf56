"""Reads what the edges say from their streams, has it recorded, tells whoever watches, and only then forgets it.

Killed anywhere in between, the next turn reads the same entries again, and what is recorded changes nothing. What
cannot be believed is set aside: told in the audit log as an attempt of that edge (a flood of it is counted), and
forgotten, so that the queue goes on. One reader for all edges: Redis is asked for every stream at once, which is good
for some thousands of edges; beyond that the edges are to be divided among several jobs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import structlog

import audit
from commands import clock, edge_events
from commands.actions.edge_events import Outcome, do_record
from commands.actions.steps import take_back
from config import streams
from config.redis import client
from config.streams import Entries, Fields
from ems_contract import keys
from ems_contract.edge_events import EdgeEvent
from sites.models import Edge

WAIT_MS = 1_000
BUDGET = 1 << 20
"""Bytes of one stream that a reading takes, or so."""
MOST = 64
_SHOWN = 200

log = structlog.get_logger()


class Relay:
    """`run` is the worker's job: one reading, or WAIT_MS in which nobody says anything. Raises redis.RedisError."""

    def __init__(self) -> None:
        self._count = 8
        self._names: list[str] = []
        self._known_until = 0.0

    def run(self) -> None:
        names = self._streams()
        if not names:
            time.sleep(WAIT_MS / 1000)
            return
        read = streams.read(client(), names, self._count, WAIT_MS)
        for key, entries in read:
            self._relay(key, entries)
        self._adapt(read)

    def _streams(self) -> list[str]:
        """Of every edge there is; asked for again each second."""
        if time.monotonic() >= self._known_until:
            edges = Edge.objects.order_by("pk").values_list("site_id", "pk")
            self._names = [keys.edge_events_stream(site, edge) for site, edge in edges]
            self._known_until = time.monotonic() + WAIT_MS / 1000
        return self._names

    def _relay(self, key: str, entries: Sequence[tuple[bytes, Fields | None]]) -> None:
        site, edge = keys.parse_events_stream(key)
        events: list[EdgeEvent] = []
        for _, fields in entries:
            try:
                events.append(edge_events.read(fields))
            except edge_events.Refused as refused:
                _set_aside(site, edge, str(refused), _shown(fields))
        outcome = do_record(site, edge, events, clock.now()) if events else Outcome()
        for event, why in outcome.refused:
            _set_aside(site, edge, why, _shown({b"": msgspec.json.encode(event)}))
        _publish(site, outcome)
        streams.forget(client(), {key: [entry_id for entry_id, _ in entries]})

    def _adapt(self, read: Sequence[Entries]) -> None:
        """No reading takes more memory than it should, however large somebody's entries are."""
        sizes = [sum(len(value) for _, fields in each.entries for value in (fields or {}).values()) for each in read]
        if max(sizes, default=0) > BUDGET:
            self._count = max(1, self._count // 2)
        elif any(len(each.entries) >= self._count for each in read):
            self._count = min(MOST, self._count * 2)


def _publish(site: int, outcome: Outcome) -> None:
    """Raises redis.RedisError; then all of it is said again with the next turn."""
    pipeline = client().pipeline(transaction=False)
    for message in outcome.told:
        pipeline.publish(keys.commands_channel(site), message)
    pipeline.execute()
    for command in outcome.ended:
        take_back(command)


def _set_aside(site: int, edge: int, why: str, shown: str) -> None:
    name = keys.edge_name(edge)
    with structlog.contextvars.bound_contextvars(edge=name):
        organization = Edge.objects.filter(pk=edge).values_list("organization_id", flat=True).first()
        log.warning("an edge's event is set aside", why=why)
        audit.denied(
            "edge_event.refused", organization_id=organization, site_id=site, target=name, code=why, begins=shown
        )


def _shown(fields: Fields | None) -> str:
    """The beginning of what was said, for whoever looks into it."""
    return b" ".join((fields or {}).values())[:_SHOWN].decode("ascii", "backslashreplace")
