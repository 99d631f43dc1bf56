"""A broker within one process: for tests of the hub, and the plainest reading of the contract in `broker.py`."""

from __future__ import annotations

import asyncio

from ems_realtime.broker import (
    MAX_EDGES,
    MAX_IMAGES_BYTES,
    BrokerUnavailableError,
    ImagesRefusedError,
    Listener,
    UserEvent,
)
from ems_realtime.clock import now_ms


class MemoryBroker:
    """`publish_*` and `set_latest` play the outside world; `interrupt` and `restore` play its faults."""

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._watched: set[int] = set()
        self._latest: dict[int, dict[str, bytes]] = {}
        self._up = asyncio.Event()
        self._lost_at = 0

    @property
    def live(self) -> bool:
        return self._up.is_set()

    @property
    def watched(self) -> frozenset[int]:
        return frozenset(self._watched)

    @property
    def lag(self) -> float:
        return 0.0

    async def start(self, listener: Listener) -> None:
        self._listener = listener
        self._up.set()
        listener.on_live_changed(True)

    async def stop(self) -> None:
        self._listener = None
        self._up.clear()

    async def watch(self, site: int) -> None:
        self._watched.add(site)
        await self._up.wait()

    def unwatch(self, site: int) -> None:
        self._watched.discard(site)

    async def latest(self, site: int) -> dict[str, bytes]:
        images = dict(self._latest.get(site, {}))
        await asyncio.sleep(0)  # as with a network, more is published before the answer is here
        if not self.live:
            raise BrokerUnavailableError("interrupted")
        size = sum(map(len, images.values()))
        if len(images) > MAX_EDGES or size > MAX_IMAGES_BYTES:
            raise ImagesRefusedError(len(images), size)
        return images

    # The outside world ----------------------------------------------------------------------------------------

    def set_latest(self, site: int, edge: str, image: bytes) -> None:
        self._latest.setdefault(site, {})[edge] = image

    def publish_telemetry(self, site: int, payload: bytes) -> None:
        if self._listener is not None and self.live and site in self._watched:
            self._listener.on_telemetry(site, payload)

    def publish_alert(self, site: int, payload: bytes) -> None:
        if self._listener is not None and self.live:
            self._listener.on_alert(site, payload)

    def publish_command(self, site: int, payload: bytes) -> None:
        if self._listener is not None and self.live:
            self._listener.on_command(site, payload)

    def publish_user_event(self, user: int, kind: UserEvent, payload: bytes) -> None:
        if self._listener is not None and self.live:
            self._listener.on_user_event(user, kind, payload)

    def interrupt(self) -> None:
        self._up.clear()
        self._lost_at = now_ms()
        if self._listener is not None:
            self._listener.on_live_changed(False)

    def restore(self) -> None:
        self._up.set()
        if self._listener is not None:
            self._listener.on_live_changed(True)
            self._listener.on_resubscribed(self._lost_at)
