"""What every request gets before anything else: a request id in each of its log lines, and no query string in them."""

from __future__ import annotations

import re
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HAD_QUERY = "ems.had_query"


def enter(scope: Scope) -> tuple[bytes, bytes]:
    """Binds the client's request id, or a new one, to the log lines of this task; the header that echoes it.

    The query string is taken off the scope, away from every log; `had_query` tells that there was one.
    """
    scope[_HAD_QUERY] = bool(scope["query_string"])
    scope["query_string"] = b""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return b"x-request-id", request_id.encode()


def had_query(scope: Scope) -> bool:
    had: bool = scope[_HAD_QUERY]
    return had


class RequestContext:
    """`enter` as a middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = enter(scope)

        async def echo(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", []), request_id]
            await send(message)

        await self.app(scope, receive, echo)
