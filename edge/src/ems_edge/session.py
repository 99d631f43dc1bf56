"""The edge's session with the backend: its configuration and its Redis access, for an API key.

The last good answer is kept on disk (mode 0600, it holds the Redis password), so that an edge starts and works while
the backend is down.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import httpx
import msgspec
import structlog
from ems_contract.points import Point
from ems_contract.provisioning import PointsReport, SessionAnswer, SessionRequest

log = structlog.get_logger()

TIMEOUT = 10.0
CACHE_FILE = "session.json"


class SessionUnavailableError(Exception):
    """The backend cannot be reached, or does not answer as it should: try again later."""


class SessionRefusedError(Exception):
    """The backend does not accept this key. Trying again helps only after someone changed something there."""


class BackendClient:
    """`POST /api/edge/session` and `PUT /api/edge/points`; both raise the two errors above."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT, follow_redirects=False
        )

    async def open_session(self, boot: str, software: str) -> SessionAnswer:
        content = await self._send("POST", "/api/edge/session", SessionRequest(boot, software))
        try:
            return msgspec.json.decode(content, type=SessionAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SessionUnavailableError(f"the backend's answer is no session: {error}") from None

    async def report_points(self, points: list[Point]) -> None:
        await self._send("PUT", "/api/edge/points", PointsReport(points))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def _send(self, method: str, path: str, body: SessionRequest | PointsReport) -> bytes:
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self._http.request(method, path, content=msgspec.json.encode(body), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SessionUnavailableError(f"{method} {path}: {type(error).__name__}") from None
        if answer.status_code in (401, 403):
            raise SessionRefusedError(f"{method} {path}: {answer.status_code}{_detail(answer)}")
        if not answer.is_success:
            raise SessionUnavailableError(f"{method} {path}: {answer.status_code}{_detail(answer)}")
        return answer.content


class _Problem(msgspec.Struct):
    """RFC 9457, as far as a log line needs it."""

    title: str = ""
    detail: str = ""


def _detail(answer: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return f", {problem.detail or problem.title:.200}"


class SessionCache:
    """The last good session, as a file in the store's directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / CACHE_FILE

    @property
    def file(self) -> str:
        return str(self._path)

    def load(self) -> SessionAnswer | None:
        """None where there is none, or none that can be read; the reason is logged."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=SessionAnswer)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            log.warning("the cached session cannot be read", file=self.file, problem=str(error))
            return None

    def save(self, answer: SessionAnswer) -> None:
        """Whole or not at all, and only for us. A full disk is logged: the edge runs without a cache."""
        new = self._path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(answer))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            log.warning("the session cannot be cached", file=self.file, problem=str(error))
