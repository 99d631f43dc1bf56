"""Asking the backend what a token may do: the only question this service ever puts to it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import structlog
from ems_contract.access import Grant

from ems_realtime.lanes import Lanes, SentAwayError
from ems_realtime.metrics import Metrics

log = structlog.get_logger()

DOWN_MEMORY = 1.0
"""After a failure the backend is left alone for this long; everyone who asks meanwhile is told at once."""
LONGEST_QUEUE = 29.0
"""Whoever has not had a turn by then is told to come again. A thousand at 40 a second are through in 25 s; with the
time of an answer it is less than `limits.WELCOME_SECONDS`."""
PROBE_MEMORY = 2.0

_REFUSALS = frozenset({400, 401, 403, 431})
"""400 and 431: a header no server takes. That is a fault of this one token, not of the backend."""

_grant = msgspec.json.Decoder(Grant)


class RefusedError(Exception):
    """The backend said no: 401 (the token is worth nothing) or 403 (its user has no access)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the backend answered {status}")
        self.status = status


class UnavailableError(Exception):
    """Nobody said no, but nobody said yes either: transport error, timeout, 5xx, or an answer that makes no sense."""


class Validator:
    """`rate`: validations per second at most, however many sockets come at once. `timeout` in s, of a whole answer."""

    def __init__(self, backend_url: str, *, rate: float, timeout: float, metrics: Metrics) -> None:
        self._client = httpx.AsyncClient(
            base_url=backend_url,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=256, max_keepalive_connections=16, keepalive_expiry=10),
        )
        self._timeout = timeout
        self._metrics = metrics
        self._lanes = Lanes(rate)
        self._asking: set[asyncio.Timeout] = set()
        self._down_until = 0.0
        self._probe: tuple[float, bool] = (-PROBE_MEMORY, False)

    def give_up(self) -> None:
        """This service leaves: whoever waits for the backend, or for a turn, is told that it cannot be asked."""
        self._down_until = math.inf
        self._lanes.send_away()
        for within in self._asking:
            within.reschedule(asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        await self._client.aclose()

    async def validate(self, token: str, address: str | None = None) -> Grant:
        """`address`: of whoever comes with the token; None for a session that is open. Raises RefusedError or
        UnavailableError."""
        await self._turn(address)
        headers = {"authorization": f"Bearer {token}", "accept": "application/json", **_request_id()}
        asked = time.monotonic()
        try:
            async with self._in_time():
                answer = await self._client.get("/api/validate-token", headers=headers)
        except (httpx.RequestError, TimeoutError) as error:
            raise self._unavailable("unreachable", type(error).__name__) from None
        finally:
            self._metrics.observe("validation", time.monotonic() - asked)
        if answer.status_code in _REFUSALS:
            self._metrics.count("validations", outcome="refused")
            raise RefusedError(403 if answer.status_code == 403 else 401)
        if answer.status_code != 200:
            raise self._unavailable("failed", f"status {answer.status_code}")
        try:
            grant = _grant.decode(answer.content)
        except msgspec.DecodeError as error:
            raise self._unavailable("garbled", str(error)) from None
        self._metrics.count("validations", outcome="granted")
        return grant

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """httpx's own timeouts begin anew with each byte that comes. Raises TimeoutError."""
        async with asyncio.timeout(self._timeout) as within:
            self._asking.add(within)
            try:
                yield
            finally:
                self._asking.discard(within)

    async def reachable(self) -> bool:
        """Whether the backend answers at all; asked at most every PROBE_MEMORY seconds."""
        now = asyncio.get_running_loop().time()
        asked, answer = self._probe
        if now - asked >= PROBE_MEMORY:
            self._probe = (now, answer)  # whoever asks meanwhile is told what was true before
            try:
                answer = (await self._client.get("/healthz", timeout=1.0)).status_code < 500
            except httpx.RequestError:
                answer = False
            self._probe = (now, answer)
        return answer

    async def _turn(self, address: str | None) -> None:
        if asyncio.get_running_loop().time() < self._down_until:
            self._metrics.count("turned_away")
            raise UnavailableError("the backend is down")
        try:
            async with asyncio.timeout(LONGEST_QUEUE):
                await self._lanes.turn(address)
        except (SentAwayError, TimeoutError):
            self._metrics.count("turned_away")
            raise UnavailableError("the backend is down or overrun") from None

    def _unavailable(self, outcome: str, problem: str) -> UnavailableError:
        self._metrics.count("validations", outcome=outcome)
        now = asyncio.get_running_loop().time()
        if now >= self._down_until:
            log.warning("validation_unavailable", outcome=outcome, problem=problem[:200])
        self._down_until = max(self._down_until, now + DOWN_MEMORY)
        self._lanes.send_away()
        return UnavailableError(problem)


def _request_id() -> dict[str, str]:
    found = structlog.contextvars.get_contextvars().get("request_id")
    return {"x-request-id": str(found)} if found else {}
