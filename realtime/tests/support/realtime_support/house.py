"""One process without a network: a broker in memory, a hub, and sessions on wires that are read by hand."""

from __future__ import annotations

import asyncio

import msgspec
from ems_contract.access import Grant
from ems_realtime.broker_memory import MemoryBroker
from ems_realtime.hub import Hub
from ems_realtime.metrics import Metrics
from ems_realtime.outbox import Outbox
from ems_realtime.session import Session, viewable
from ems_realtime.settings import Settings

from realtime_support.batches import batch, grant
from realtime_support.wires import SlowWire

SETTINGS = Settings(
    redis_url="redis://unused", backend_url="http://unused", origins=frozenset(), outbox_bytes=20_000, stall_timeout=2.0
)
ALERT = {"v": 1, "id": "a", "state": "raised", "severity": "info", "ts": 1, "rule": "r", "message": "m"}
COMMAND = {"v": 1, "type": "command", "id": "c", "point": "battery.power", "state": "verified", "ts": 1}


class House:
    """Start it in the loop that it runs in. `seq` is that of the last batch of edge_1."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.metrics = Metrics()
        self.hub = Hub(self.broker, SETTINGS, self.metrics)
        self.seq = 0

    async def start(self) -> None:
        await self.broker.start(self.hub)
        self.hub.start()

    async def stop(self) -> None:
        self.hub.stop()
        await self.broker.stop()

    def enter(self, user: int, sites: list[int], *, instant: bool = True) -> tuple[Session, SlowWire]:
        wire = SlowWire(instant=instant)
        session = Session("192.0.2.1", Outbox(wire, SETTINGS.outbox_bytes, asyncio.get_running_loop().time()))
        self.hub.add(session)
        self.hub.claim(session, user)
        session.admit(viewable(msgspec.convert(grant(user, sites), Grant)), 0)
        return session, wire

    def publish(self, site: int = 7, *, points: int = 1) -> int:
        """As an edge does: the latest image first."""
        self.seq += 1
        payload = batch(self.seq, points=points)
        self.broker.set_latest(site, "edge_1", payload)
        self.broker.publish_telemetry(site, payload)
        return self.seq


def kinds(wire: SlowWire) -> list[str]:
    return [frame["type"] for frame in wire.frames()]


async def tick(times: int = 1) -> None:
    for _ in range(times):
        await asyncio.sleep(0)
