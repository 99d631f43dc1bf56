"""Viewers who stay: whenever their connection ends they make another one, when and how a browser would.

The rules are those of the web (`web/src/domain/link/close-policy.ts`, `backoff.ts`, `reducer.ts`): after a lost
connection at once, then with full jitter; after 1012 with full jitter; after 1013 and 4429 with backoff; whoever is not
welcomed within WELCOME_SECONDS gives up and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ems_contract.frames import CloseCode
from ems_contract.limits import WELCOME_SECONDS

from ems_prove.sockets import Door, LiveSocket, open_socket
from ems_prove.waiting import until

QUICK, JITTER, LONGEST = 0.5, 10.0, 120.0
HELD_SECONDS = 10.0
"""A connection that held for less does not count as recovered."""
_BACKOFF = frozenset({CloseCode.TRY_AGAIN_LATER, CloseCode.TOO_MANY})


class Regular:
    """`lives`: every connection it ever had, the present one last."""

    def __init__(self, door: Door, token: str, site: int, dice: random.Random) -> None:
        self._door = door
        self._token = token
        self._site = site
        self._dice = dice
        self._attempt = 0
        self.lives: list[LiveSocket] = []
        self.refused = 0
        """Attempts that met nobody."""

    @property
    def life(self) -> LiveSocket:
        return self.lives[-1]

    @property
    def streams(self) -> bool:
        return bool(self.lives) and self.life.streaming is not None and not self.life.over.done()

    async def stay(self) -> None:
        """Until it is cancelled."""
        while True:
            code = None
            try:
                code = await self._live()
            except OSError:
                self.refused += 1
            await asyncio.sleep(self._dice.random() * longest_pause(code, self._attempt))
            self._attempt += 1

    async def _live(self) -> int | None:
        """One connection, from its beginning to its end; the code that it was closed with."""
        life = await open_socket(self._door, self._token, self._site)
        self.lives.append(life)
        try:
            try:
                async with asyncio.timeout(WELCOME_SECONDS):
                    await life.settled.wait()
            except TimeoutError:
                if life.welcomed is None:
                    return None
            await asyncio.shield(life.over)
        finally:
            life.abort()
        if life.welcomed is not None and time.monotonic() - life.welcomed > HELD_SECONDS:
            self._attempt = 0
        return life.close_code


def longest_pause(code: int | None, attempt: int) -> float:
    """s, after a connection that was closed with this code (None: nobody was met, or nobody said welcome).
    `attempt` counts from 0 since one held."""
    if code in _BACKOFF:
        return min(LONGEST, JITTER * 2.0**attempt)
    return JITTER if code == CloseCode.SERVICE_RESTART or attempt > 0 else QUICK


@asynccontextmanager
async def regulars(
    door: Door, their_tokens: Sequence[str], site: int, seconds: float, seed: int = 1
) -> AsyncIterator[list[Regular]]:
    """One for each token, all streaming within `seconds`. They leave without a word at the end."""
    dice = random.Random(seed)  # noqa: S311  # not a secret: a seeded order of pauses
    made = [Regular(door, token, site, dice) for token in their_tokens]
    tasks = [asyncio.create_task(one.stay()) for one in made]
    try:
        await until("everyone's first frames", lambda: all(one.streams for one in made), seconds)
        yield made
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
