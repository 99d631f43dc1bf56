"""One MQTT device: what its topics said, how long that counts, and what it is told. The rules are in `mqtt.py`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.driver import Changed, WriteError
from ems_edge.drivers.mqtt_broker import MOST_TOPICS
from ems_edge.drivers.mqtt_link import Heard, Link, LinkError
from ems_edge.drivers.mqtt_payload import Payload
from ems_edge.drivers.mqtt_source import VALUE, Ask, MqttSpec, TopicSource, fill

log = structlog.get_logger()

PUSH_APART = 0.05
"""Changes of one device are told at most so often, s; in between, the last one of each point waits."""
READ_BACK = 3.0
"""How long a device may take to say what it made of a command, s."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a point was last said to be, and when (monotonic, s)."""

    value: Value
    at: float


class MqttDevice:
    def __init__(self, spec: MqttSpec, link: Link, variables: Mapping[str, str], timeout: float) -> None:
        """Raises ValueError for a topic with a variable that has no value."""
        self._key = spec.key
        self._link = link
        self._variables = variables
        self._retained = spec.retained
        self._sources = {point.name: point for point in spec.points if isinstance(point, TopicSource)}
        self._timeouts = {
            name: timeout if source.timeout is None else source.timeout for name, source in self._sources.items()
        }
        self._known: dict[str, Known] = {}
        self._said: dict[str, tuple[int, float]] = {}
        """Topic -> its last payload (as a hash), and when that was first heard; the same one kept is no younger."""
        self._refused: set[str] = set()
        self._offline = False
        self._since = time.monotonic()
        self._written: dict[str, Known] = {}
        self._heard_something = asyncio.Event()
        self._changed: Changed | None = None
        self._changes: dict[str, Value] = {}
        self._flushing: asyncio.TimerHandle | None = None
        self._flushed = 0.0
        self._availability = spec.availability
        self._points_of: dict[str, list[TopicSource]] = {}
        for source in self._sources.values():
            self._points_of.setdefault(self._filled(source.topic), []).append(source)
        self.topics: dict[str, Heard] = {topic: functools.partial(self._heard, topic) for topic in self._points_of}
        self.asks = tuple(Ask(self._filled(ask.topic), self._filled(ask.payload), ask.every) for ask in spec.asks)
        self._availability_topic = self._filled(spec.availability.topic) if spec.availability is not None else ""
        if self._availability_topic:
            self.topics.setdefault(self._availability_topic, self._heard_availability)

    def _filled(self, template: str, value: str = "") -> str:
        try:
            return fill(template, {VALUE: value, **self._variables})
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is missing from its connection") from None

    # Reading -----------------------------------------------------------------------------------------------------

    async def read(self) -> dict[str, Value]:
        now = time.monotonic()
        return {name: self._now(name, now) for name in self._sources}

    def watch(self, changed: Changed) -> None:
        self._changed = changed

    def _now(self, name: str, now: float) -> Value:
        if not self._link.up or self._offline:
            return Reason.CONNECTION_LOST
        known, timeout = self._known.get(name), self._timeouts[name]
        since = self._since if known is None else known.at
        if timeout and now - since > timeout:
            return Reason.TIMEOUT
        if known is not None:
            return known.value
        return Reason.DEVICE_EXCEPTION if name in self._refused else Reason.NOT_POLLED

    # What the link tells -----------------------------------------------------------------------------------------

    def linked(self, up: bool) -> None:
        """What was said before a loss counts after it while it is young; what is said once has to be said again."""
        now = self._since = time.monotonic()
        self._offline = False
        if up:
            self._known = {name: known for name, known in self._known.items() if now - known.at <= self._timeouts[name]}
        else:
            self._refused.clear()
            self._lose()

    def refused(self, topic: str) -> None:
        self._refused.update(source.name for source in self._points_of.get(topic, ()))

    def _heard(self, subscribed: str, topic: str, payload: Payload, retained: bool) -> None:
        if topic == self._availability_topic:
            self._heard_availability(topic, payload, retained)
        if retained and not self._retained:
            return
        now, digest = time.monotonic(), hash(payload.data)
        before, at = self._said.get(topic, (0, now))
        if not retained or before != digest:
            at = now
        self._said[topic] = digest, at
        if len(self._said) > MOST_TOPICS:  # `+` in a topic matches whatever anybody publishes
            del self._said[next(iter(self._said))]
        news: dict[str, Value] = {}
        for source in self._points_of[subscribed]:
            name, value = source.name, payload.value(source)
            if name not in self._known or self._known[name].value != value:
                news[name] = value
            own = payload.time(source.time) if retained else None
            self._known[name] = Known(value, at if own is None else min(now - (time.time() - own), now))
        if not self._offline:
            self._tell(news)
        self._heard_something.set()

    def _heard_availability(self, topic: str, payload: Payload, retained: bool) -> None:  # noqa: ARG002
        availability, said = self._availability, payload.at(None)
        if availability is None or said not in (availability.online, availability.offline):
            return
        if said == availability.offline:
            if not self._offline:
                log.info("the device is offline", device=self._key)
            self._offline = True
            self._known.clear()
            self._lose()
        elif self._offline:
            log.info("the device is online again", device=self._key)
            self._offline = False
            self._since = time.monotonic()
            self._link.ask(self.asks)

    def _lose(self) -> None:
        self._tell(dict.fromkeys(self._sources, Reason.CONNECTION_LOST))
        self._heard_something.set()

    # Pushing -----------------------------------------------------------------------------------------------------

    def _tell(self, news: dict[str, Value]) -> None:
        if self._changed is None or not news:
            return
        self._changes |= news
        if self._flushing is None:
            loop = asyncio.get_running_loop()
            self._flushing = loop.call_at(max(loop.time(), self._flushed + PUSH_APART), self._flush)

    def _flush(self) -> None:
        self._flushing, self._flushed = None, asyncio.get_running_loop().time()
        changes, self._changes = self._changes, {}
        if self._changed is not None:
            self._changed(changes)

    # Writing -----------------------------------------------------------------------------------------------------

    async def write(self, point: str, value: float | None) -> None:
        source = self._sources.get(point)
        if source is None or source.command is None:
            raise ValueError(f"{self._key}.{point} cannot be written")
        if value is None:
            detail = f"{self._key}.{point} cannot be given up over MQTT; give it a default to restore"
            raise WriteError(Reason.OTHER, detail)
        text = source.command.text(source.scaling.raw_number(value))
        if self._offline:
            raise WriteError(Reason.CONNECTION_LOST, f"{self._key}.{point} was not written: the device is offline")
        topic, payload = self._filled(source.command.topic), self._filled(source.command.payload, text)
        self._written[point] = Known(value, time.monotonic())
        try:
            await self._link.publish(topic, payload)
        except LinkError as error:
            raise WriteError(error.reason, f"{self._key}.{point} was not written: {error}") from None

    async def read_back(self, point: str) -> Value:
        """What the device said since the point was written; at once where that is the written value.

        Where it says nothing by itself, as many do when nothing changes, what it said before counts if it is the same.
        """
        written = self._written.get(point)
        if written is None:
            return self._now(point, time.monotonic())
        deadline = written.at + READ_BACK
        while True:
            self._heard_something.clear()
            now = time.monotonic()
            value, known = self._now(point, now), self._known.get(point)
            fresh = known is not None and known.at >= written.at
            same = _same(value, written.value)
            if (fresh and same) or value is Reason.CONNECTION_LOST:
                return value
            if now >= deadline:
                return value if fresh or same else Reason.TIMEOUT
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline - now):
                    await self._heard_something.wait()


def _same(one: Value, other: Value) -> bool:
    """Two numbers that differ by no more than a device's rounding in between."""
    if isinstance(one, Reason) or isinstance(other, Reason):
        return False
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
