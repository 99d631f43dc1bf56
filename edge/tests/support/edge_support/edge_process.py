"""The edge as it is run: a process of its own, to be stopped and killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml
from ems_contract.provisioning import RedisAccess

from edge_support.waiting import free_port


class EdgeProcess:
    """`log` is all that it wrote to stderr, over all its lives."""

    def __init__(self, bootstrap: Path, within: Sequence[str] = ()) -> None:
        """`within`: a command that runs the edge's."""
        self.bootstrap = bootstrap
        self._within = list(within)
        self.health_port = free_port()
        self.log = b""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        command = [*self._within, sys.executable, "-m", "ems_edge.main", "run", str(self.bootstrap)]
        command += ["--health-port", str(self.health_port)]
        self._process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self.log += line

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def ready(self) -> dict[str, Any]:
        """What /readyz says; empty while nobody listens."""
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.health_port}/readyz")
            except httpx.TransportError:
                return {}
            body: dict[str, Any] = answer.json()
            return body

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        assert self._reader is not None
        if self.running:
            self._process.send_signal(number)
        code = await self._process.wait()
        await self._reader
        return code

    async def wait(self) -> int:
        """For an edge that ends by itself."""
        assert self._process is not None
        assert self._reader is not None
        code = await self._process.wait()
        await self._reader
        return code


Edges = Callable[[Path], EdgeProcess]
"""The fixture `edges`: starts nothing yet, and kills what is left running."""


def standalone(folder: Path, access: RedisAccess, port: int, interval: float, units: dict[str, int]) -> Path:
    """A bootstrap file for stl_meter units behind one port."""
    file = folder / "edge.yaml"
    devices = [
        {
            "key": key,
            "name": key,
            "driver": "modbus",
            "profile": "stl_meter",
            "connection": {"host": "127.0.0.1", "port": port, "unit": unit},
        }
        for key, unit in units.items()
    ]
    redis = {"url": access.url, "username": access.username, "password": access.password}
    config = {"revision": "1", "poll_interval": interval, "devices": devices}
    data = {"store": "store", "site": "site_1", "edge": "edge_1", "redis": redis, "config": config}
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return file


def with_backend(folder: Path, url: str, key: str) -> Path:
    file = folder / "edge.yaml"
    file.write_text(yaml.safe_dump({"url": url, "key": key, "store": "store"}), encoding="utf-8")
    return file
