"""A program that follows sites: it takes every event as it comes and can wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from ems_client import Event, LiveClient, Merged, Snapshot, Telemetry


class Program:
    def __init__(self, live: LiveClient) -> None:
        self.live = live
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self._taken = 0
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.live.__aenter__()
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.live.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for event in self.live:
                self.events.append(event)
                self._news.set()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test wants to see it
            self.error = error
        self._news.set()

    async def next[E](self, kind: type[E], *, when: Callable[[E], object] = lambda _: True, seconds: float = 10.0) -> E:
        """The next event of this type that was not taken yet; others are passed over."""
        async with asyncio.timeout(seconds):
            while True:
                while self._taken < len(self.events):
                    event = self.events[self._taken]
                    self._taken += 1
                    if isinstance(event, kind) and when(event):
                        return event
                assert not self._reader.done(), f"ended with {self.error!r} while waiting for {kind.__name__}"
                self._news.clear()
                await self._news.wait()

    async def ended(self, seconds: float = 10.0) -> Any:
        """What the iteration raised."""
        async with asyncio.timeout(seconds):
            await asyncio.wait([self._reader])
        return self.error

    def seqs(self, edge: str = "edge_1") -> list[int]:
        """Every seq of this edge that was yielded, in order; a snapshot counts as one, a merged batch as its last."""
        found = []
        for event in self.events:
            if isinstance(event, Snapshot | Telemetry):
                found += [batch.seq for batch in event.batches if batch.edge == edge]
            elif isinstance(event, Merged):
                found += [batch.seq_to for batch in event.batches if batch.edge == edge]
        return found
