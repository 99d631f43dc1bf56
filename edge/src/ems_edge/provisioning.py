"""Keeps the edge on its newest good configuration: opens the session, refreshes it, and falls back on the cache.

A new configuration is checked whole before anything of the old one is touched. One that cannot be run is refused: the
old one stays (after a restart the cached one), and the backend is told why. Redis access is taken over in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from ems_contract.edge_events import ConfigEvent
from ems_contract.provisioning import EdgeConfig, SessionAnswer

from ems_edge.clock import wall_ms
from ems_edge.config import Plan, check_access, check_config
from ems_edge.problems import ConfigError
from ems_edge.profile import Profiles
from ems_edge.session import BackendClient, SessionCache, SessionRefusedError, SessionUnavailableError

log = structlog.get_logger()

REFRESH = 60.0
RETRY_FIRST = 1.0
HURRY = 1.0
"""Refreshes that others ask for are at least so far apart."""

NOTHING = EdgeConfig(revision="", devices=[])
"""What runs where nothing good was ever given."""

Apply = Callable[[SessionAnswer, Plan | None], Awaitable[None]]
"""Take over a session; the plan is None when the running configuration stays."""


class Provisioning:
    """`cache` of None keeps nothing; `tell` is told of each configuration that is taken or refused.

    `problem` says why there is no configuration yet, for /readyz; `config_problem` why the newest one is refused.
    """

    def __init__(
        self,
        client: BackendClient,
        profiles: Profiles,
        cache: SessionCache | None,
        boot: str,
        software: str,
        tell: Callable[[ConfigEvent], None],
        hurry: float = HURRY,
    ) -> None:
        self._client = client
        self._profiles = profiles
        self._cache = cache
        self._boot = boot
        self._software = software
        self._tell = tell
        self._hurry = hurry
        self._asked = asyncio.Event()
        self._current: SessionAnswer | None = None
        self._reported: Plan | None = None
        self._plan: Plan | None = None
        self._told: tuple[str, str] | None = None
        self.problem = "no session yet"
        self.config_problem = ""

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
            await self._take(answer, apply)
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
        """The backend is away, and nothing runs yet."""
        if (found := self._cached()) is not None:
            answer, plan = found
            await self._run(answer, plan, apply)

    def _cached(self) -> tuple[SessionAnswer, Plan] | None:
        cached = self._cache.load() if self._cache is not None else None
        if cached is None or self._cache is None:
            return None
        try:
            plan = check_config(check_access(cached, self._cache.file).part("config"), self._profiles)
        except ConfigError as error:
            log.error("the cached configuration is refused", problem=str(error))
            self.problem = str(error)
            return None
        log.info("starting with the cached session", file=self._cache.file)
        return cached, plan

    async def _take(self, answer: SessionAnswer, apply: Apply) -> None:
        """What the backend gave."""
        old = self._current
        if old is not None and (old.site, old.edge) != (answer.site, answer.edge):
            log.error("the session names another edge, restart to become it", old=old.edge, new=answer.edge)
            return
        try:
            document = check_access(answer, "the backend's session")
        except ConfigError as error:
            raise SessionUnavailableError(str(error)) from None
        try:
            plan = check_config(document.part("config"), self._profiles)
        except ConfigError as error:
            self._refuse(answer.config.revision, str(error))
            await self._keep(answer, apply)
        else:
            changed = old is None or answer.config != old.config
            await self._run(answer, plan if changed else None, apply)

    def _refuse(self, revision: str, problem: str) -> None:
        if problem != self.config_problem:
            log.error("the configuration is refused", revision=revision, problem=problem)
        self.config_problem = problem
        self._tell_once(revision, problem)

    async def _keep(self, answer: SessionAnswer, apply: Apply) -> None:
        """The configuration that runs stays, or the cached one begins; Redis access is the new one."""
        if self._current is not None:
            await self._apply(msgspec.structs.replace(answer, config=self._current.config), None, apply)
            return
        found = self._cached()
        if found is not None and (found[0].site, found[0].edge) == (answer.site, answer.edge):
            await self._apply(msgspec.structs.replace(answer, config=found[0].config), found[1], apply)
            return
        self.problem = self.config_problem
        await self._apply(msgspec.structs.replace(answer, config=NOTHING), None, apply)

    async def _run(self, answer: SessionAnswer, plan: Plan | None, apply: Apply) -> None:
        self.config_problem = ""
        await self._apply(answer, plan, apply)
        self._tell_once(answer.config.revision, "")

    async def _apply(self, answer: SessionAnswer, plan: Plan | None, apply: Apply) -> None:
        old, self._current = self._current, answer
        if plan is not None:
            self._plan, self.problem = plan, ""
        await apply(answer, plan)
        if self._plan is not None and answer != old and self._cache is not None:
            self._cache.save(answer)

    def _tell_once(self, revision: str, problem: str) -> None:
        if self._told != (revision, problem):
            self._told = (revision, problem)
            self._tell(ConfigEvent(1, revision, wall_ms(), problem))

    async def _report(self) -> None:
        if self._plan is not None and self._plan is not self._reported:
            await self._client.report_points(self._plan.points)
            self._reported = self._plan
