"""A realtime service beside the stack's own, on the stack's Redis and Django: to be killed, counted and frozen out."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from ems_stack import ports, processes
from ems_stack.health import ready_at
from ems_stack.stack import Stack

from ems_prove.memory import resident
from ems_prove.sockets import Door
from ems_prove.waiting import eventually

START_SECONDS = 60.0
STOP_SECONDS = 40.0
LIMITS = {"EMS_WS_MAX_SOCKETS_PER_USER": "20000", "EMS_WS_MAX_SOCKETS_PER_ADDRESS": "20000", "EMS_LOG_LEVEL": "WARNING"}
"""All sockets of all people come from this one machine."""


class LiveService:
    """Up from `with` to its end, unless it is stopped or killed in between. `port` None: a free one."""

    def __init__(self, stack: Stack, *arguments: str, port: int | None = None, log: Path) -> None:
        """`arguments` of the command line besides host and port."""
        own, free = ports.free_ports(2)
        self.port = port or free
        self.door = Door.of(stack, self.port)
        self._log = log
        template = stack.table.realtime()
        self._service = dataclasses.replace(
            template,
            command=[*template.command, "--port", str(self.port), "--own-port", str(own), *arguments],
            environment={**template.environment, **LIMITS},
            ready=ready_at(f"http://{ports.LOOPBACK}:{own}/readyz"),  # of this process, also behind a shared port
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_SECONDS)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the service is not running")
        return self._process.pid

    def ask(self, backend: str) -> None:
        """Another address of Django, from its next start on."""
        environment = {**self._service.environment, "EMS_BACKEND_URL": backend}
        self._service = dataclasses.replace(self._service, environment=environment)

    def start(self) -> None:
        """Returns when it is ready. Raises TimeoutError with the end of its log."""
        self._process = processes.spawn(self._service, self._log)
        try:
            eventually("a realtime service", self._service.ready, START_SECONDS)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{processes.last_words(self._log)}") from None

    def kill(self) -> None:
        """-9."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)

    def terminate(self) -> float:
        """SIGTERM; s until it has ended by itself. Raises subprocess.TimeoutExpired."""
        process, self._process = self._process, None
        if process is None:
            raise RuntimeError("the service is not running")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            processes.kill_group(process.pid)
        return time.monotonic() - began

    @property
    def memory(self) -> float:
        """Resident, MB."""
        return resident(self.pid)

    @property
    def descriptors(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    @property
    def clients(self) -> set[int]:
        """The ports at the other ends of the connections that it holds, as the kernel tells."""
        held = psutil.Process(self.pid).net_connections("tcp")
        return {one.raddr.port for one in held if one.laddr.port == self.port and one.raddr}


@contextmanager
def log_folder() -> Iterator[Path]:
    """Where services of an experiment write."""
    with tempfile.TemporaryDirectory(prefix="ems-live-") as folder:
        yield Path(folder)
