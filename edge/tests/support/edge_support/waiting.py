"""Waiting for a condition, never for a time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable


async def until[T](condition: Callable[[], T], what: str, seconds: float = 10.0) -> T:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.01)
    return value


async def stays(condition: Callable[[], object], what: str, seconds: float) -> None:
    """That something does not happen can only be watched for a while: the condition holds all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"not for {seconds:g} s: {what}"
        await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
