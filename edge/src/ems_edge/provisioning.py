"""Keeps the edge on its newest good configuration: opens the session, refreshes it, and falls back on the cache.

A new configuration is checked whole before anything of the old one is touched. One that cannot be run is refused and
named in the log, and the old one stays. Redis access is taken over in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from ems_contract.provisioning import SessionAnswer

from ems_edge.config import Plan, check_session
from ems_edge.problems import ConfigError
from ems_edge.profile import Profiles
from ems_edge.session import BackendClient, SessionCache, SessionRefusedError, SessionUnavailableError

log = structlog.get_logger()

REFRESH = 60.0
RETRY_FIRST = 1.0
HURRY = 1.0
"""Refreshes that others ask for are at least so far apart."""

Apply = Callable[[SessionAnswer, Plan | None], Awaitable[None]]
"""Take over a session; the plan is None when the running configuration stays."""


class Provisioning:
    """`cache` of None keeps nothing. `problem` says why there is no configuration yet, for /readyz."""

    def __init__(
        self,
        client: BackendClient,
        profiles: Profiles,
        cache: SessionCache | None,
        boot: str,
        software: str,
        hurry: float = HURRY,
    ) -> None:
        self._client = client
        self._profiles = profiles
        self._cache = cache
        self._boot = boot
        self._software = software
        self._hurry = hurry
        self._asked = asyncio.Event()
        self._current: SessionAnswer | None = None
        self._reported: Plan | None = None
        self._plan: Plan | None = None
        self.problem = "no session yet"

    def refresh_soon(self) -> None:
        """Redis refused us, or the backend said that the configuration changed."""
        self._asked.set()

    async def run(self, apply: Apply) -> None:
        """Until cancelled."""
        retry = RETRY_FIRST
        while True:
            self._asked.clear()
            fresh = await self._refresh(apply)
            if not fresh and self._current is None:
                await self._from_cache(apply)
            wait, retry = (REFRESH, RETRY_FIRST) if fresh else (retry, min(retry * 2, REFRESH))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait * random.uniform(0.8, 1.0)):  # noqa: S311 -- jitter
                    await self._asked.wait()
                    await asyncio.sleep(self._hurry)

    async def _refresh(self, apply: Apply) -> bool:
        try:
            answer = await self._client.open_session(self._boot, self._software)
            await self._take(answer, apply, "the backend's session")
            await self._report()
        except SessionRefusedError as error:
            self._failed("the backend refuses this edge's key", error)
            return False
        except SessionUnavailableError as error:
            self._failed("no session with the backend", error)
            return False
        return True

    def _failed(self, event: str, error: Exception) -> None:
        log.warning(event, problem=str(error))
        if self._current is None:
            self.problem = str(error)

    async def _from_cache(self, apply: Apply) -> None:
        cached = self._cache.load() if self._cache is not None else None
        if cached is not None and self._cache is not None:
            log.info("starting with the cached session", file=self._cache.file)
            await self._take(cached, apply, self._cache.file)

    async def _take(self, answer: SessionAnswer, apply: Apply, source: str) -> None:
        old = self._current
        if old is not None and (old.site, old.edge) != (answer.site, answer.edge):
            log.error("the session names another edge, restart to become it", old=old.edge, new=answer.edge)
            return
        plan: Plan | None = None
        try:
            checked = check_session(answer, self._profiles, source)
        except ConfigError as error:
            log.error("the configuration is refused", revision=answer.config.revision, problem=str(error))
            self.problem = str(error)
            if old is None:
                return
            answer = msgspec.structs.replace(answer, config=old.config)
        else:
            self.problem = ""
            if old is None or answer.config != old.config:
                self._plan = plan = checked
        await apply(answer, plan)
        self._current = answer
        if answer != old and self._cache is not None:
            self._cache.save(answer)

    async def _report(self) -> None:
        if self._plan is not None and self._plan is not self._reported:
            await self._client.report_points(self._plan.points)
            self._reported = self._plan
