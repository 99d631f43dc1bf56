"""The service as a process of its own, to be killed and to be told to leave."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from realtime_support.backend import Backend
from realtime_support.redis_process import RedisProcess, free_port
from realtime_support.running import ORIGIN


class ServiceProcess:
    """`ems-realtime` as a process of its own; stderr goes to `log`."""

    def __init__(self, redis: RedisProcess, backend: Backend, log: Path, **env: str) -> None:
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self.log = log
        self._environment = {
            **os.environ,
            "EMS_REDIS_URL": redis.url,
            "EMS_BACKEND_URL": backend.url,
            "EMS_WS_ORIGINS": ORIGIN,
            "EMS_LOG_LEVEL": "DEBUG",
            **env,
        }

    async def start(self) -> None:
        """Returns when it listens. May be called again, on the same port, once it has ended."""
        self._file = self.log.open("ab")
        code = "from ems_realtime.main import main; main()"
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "--port", str(self.port), env=self._environment, stderr=self._file
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def kill(self) -> None:
        """kill -9"""
        self.process.kill()
        await self.wait(10)

    async def wait(self, seconds: float) -> int:
        """Its exit code, once it ends by itself."""
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
        self._file.close()
        return code
