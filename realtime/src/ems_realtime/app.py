"""The HTTP side: the handshake of `/ws` and what operators ask for. Everything else is behind `service.py`.

A handshake is refused before it is accepted, with a status: 403 for an Origin that is not on the list (missing and
`null` included), 400 for anything in the query string (a token there would end up in logs) or without `ems.v1`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from ems_contract.frames import SUBPROTOCOL
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ems_realtime.protocol import BadMessageError
from ems_realtime.service import Service
from ems_realtime.settings import Settings
from ems_realtime.wire_uvicorn import EXTENSION

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HAD_QUERY = "ems.had_query"


class RequestContext:
    """Binds a request id to every log line and echoes it; takes query strings off the scope, away from every log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope[_HAD_QUERY] = bool(scope["query_string"])
        scope["query_string"] = b""
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def echo(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        await self.app(scope, receive, echo)


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = Service(settings)
        await service.start()
        yield
        await service.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(RequestContext)

    @app.websocket("/ws")
    async def live(websocket: WebSocket) -> None:
        service: Service = websocket.app.state.service
        refused = refuse(websocket, settings)
        if refused is not None:
            status, name, detail = refused
            service.metrics.count("refused", reason=name)
            log.info("handshake_refused", reason=name)
            problem = {"type": "about:blank", "title": name, "status": status, "detail": detail}
            await websocket.send_denial_response(
                JSONResponse(problem, status_code=status, media_type="application/problem+json")
            )
            return
        await websocket.accept(subprotocol=SUBPROTOCOL)
        address = websocket.client.host if websocket.client is not None else "unknown"
        await service.serve(websocket.scope["extensions"][EXTENSION], address, lambda: _next_text(websocket))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        service: Service = request.app.state.service
        ready, state = await service.readiness()
        return JSONResponse({"ready": ready, **state}, status_code=200 if ready else 503)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        service: Service = request.app.state.service
        body, content_type = service.metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return app


def refuse(websocket: WebSocket, settings: Settings) -> tuple[int, str, str] | None:
    """(status, name, what to do) for a handshake that must not be accepted."""
    origins = websocket.headers.getlist("origin")
    allowed = settings.allow_no_origin if not origins else len(origins) == 1 and origins[0].lower() in settings.origins
    if not allowed:
        return 403, "origin", "this origin is not allowed; add it to EMS_WS_ORIGINS if it should be"
    if websocket.scope[_HAD_QUERY]:
        return 400, "query", "no query string here; the token is the first message"
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        return 400, "subprotocol", f"ask for the subprotocol {SUBPROTOCOL}"
    return None


async def _next_text(websocket: WebSocket) -> str | None:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        return None
    text: str | None = message.get("text")
    if text is None:
        raise BadMessageError("only text messages are understood")
    return text
