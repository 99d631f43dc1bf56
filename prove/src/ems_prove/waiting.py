"""Wait for a condition with a deadline; never sleep and hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


def eventually[T](what: str, probe: Callable[[], T | None], seconds: float, pause: float = 0.1) -> T:
    """The probe's first truthy answer. Raises TimeoutError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not seen within {seconds:g} s; last answer {answer!r:.400}")
        time.sleep(pause)


async def until[T](what: str, probe: Callable[[], T | None], seconds: float, pause: float = 0.02) -> T:
    """The same within an event loop."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not seen within {seconds:g} s; last answer {answer!r:.400}")
        await asyncio.sleep(pause)
