"""Find the devices that announce themselves on a broker, as they do for Home Assistant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from ems_edge.driver import Found
from ems_edge.drivers.mqtt import split
from ems_edge.drivers.mqtt_discovery import PREFIX, HomeDevice, discovered
from ems_edge.drivers.mqtt_link import ANSWER, Heard, Link
from ems_edge.drivers.mqtt_payload import Payload
from ems_edge.drivers.mqtt_source import Ask

Connection = Mapping[str, str | int | float | bool]
MOST = 20_000
"""Announcements that are looked at."""


async def scan(connection: Connection, *, prefix: str = PREFIX, patience: float = 2.0) -> AsyncIterator[Found]:
    """One for each device. Raises as `discover`."""
    for device in await discover(connection, prefix=prefix, patience=patience):
        says = {"maker": device.maker, "model": device.model, "id": device.id}
        says["points"] = ", ".join(entity.name for entity in device.entities)
        says["left out"] = ", ".join(device.left_out)
        yield Found(device.name, dict(connection), {name: text for name, text in says.items() if text})


async def discover(connection: Connection, *, prefix: str = PREFIX, patience: float = 2.0) -> list[HomeDevice]:
    """What a broker keeps of announcements, and what is announced within `patience` s.

    Raises ValueError for a connection that cannot be, OSError for a broker that cannot be reached or refuses us.
    """
    own, variables = split(connection)
    if variables:
        raise ValueError(f"{', '.join(variables)}: there is no such field in a broker's connection")
    listener, link = _Listener(prefix), Link(own.broker())
    link.join(listener)
    try:
        async with asyncio.timeout(ANSWER):
            await listener.connected.wait()
        await asyncio.sleep(patience)
    except TimeoutError:
        raise OSError(f"no connection to the broker {link.broker}: {link.problem}") from None
    finally:
        await link.close()
    return discovered(listener.heard.items(), prefix)


class _Listener:
    """Keeps the newest announcement of each topic."""

    def __init__(self, prefix: str) -> None:
        self.topics: dict[str, Heard] = {f"{prefix}/#": self._hear}
        self.asks: tuple[Ask, ...] = ()
        self.heard: dict[str, bytes] = {}
        self.connected = asyncio.Event()

    def linked(self, up: bool) -> None:
        if up:
            self.connected.set()

    def refused(self, topic: str) -> None:
        """It then hears nothing."""

    def _hear(self, topic: str, payload: Payload, retained: bool) -> None:  # noqa: ARG002
        if topic.endswith("/config") and (topic in self.heard or len(self.heard) < MOST):
            self.heard[topic] = payload.data
