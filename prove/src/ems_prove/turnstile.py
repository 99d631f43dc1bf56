"""Between a service and Django: passes every byte on, and notes when a question about a token went through."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

QUESTION = b"GET /api/validate-token"


class Turnstile:
    """An `asyncio` server in front of `backend` (http://host:port). `passed`: times of `time.monotonic`."""

    def __init__(self, backend: str) -> None:
        parts = urlsplit(backend)
        self._where = (parts.hostname, parts.port)
        self.passed: list[float] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        """Its own address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ahead_reader, ahead = await asyncio.open_connection(*self._where)
        except OSError:
            writer.close()
            return
        both = {writer, ahead}
        self._writers |= both
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(reader, ahead, count=True))
            tasks.create_task(self._pass(ahead_reader, writer, count=False))
        self._writers -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool) -> None:
        tail = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if count:
                    seen = tail + data
                    self.passed += [time.monotonic()] * seen.count(QUESTION)
                    tail = seen[-len(QUESTION) + 1 :]
                writer.write(data)
                await writer.drain()
        writer.close()


def busiest(times: Sequence[float], span: float = 1.0) -> int:
    """The most of them within any `span` seconds."""
    ordered = sorted(times)
    most = first = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= span:
            first += 1
        most = max(most, last - first + 1)
    return most
