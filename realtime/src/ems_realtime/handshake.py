"""`/ws` from the first byte to the open socket, as an ASGI application of its own.

It stands in front of FastAPI, not inside: each layer of FastAPI and Starlette would hold a coroutine, its closures and
an exit stack for as long as the socket is open, 12 KB in all. What the handshake needs is gone when it is over.

A handshake is refused before it is accepted, with a status: 403 for an Origin that is not on the list (missing and
`null` included), 400 for anything in the query string (a token there would end up in logs) or without `ems.v1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
from ems_contract.frames import SUBPROTOCOL
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from ems_realtime import request_context
from ems_realtime.protocol import BadMessageError
from ems_realtime.service import Service
from ems_realtime.settings import Settings
from ems_realtime.wire_uvicorn import EXTENSION

log = structlog.get_logger()

PATH = "/ws"


@dataclass(frozen=True)
class Refusal:
    status: int
    name: str
    detail: str
    """What to do."""


async def serve(service: Service, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
    """One connection, from its handshake until it is over."""
    if await _accepted(service, settings, scope, receive, send):
        address = scope["client"][0] if scope["client"] is not None else "unknown"
        wire = scope["extensions"][EXTENSION]
        scope.clear()  # whoever called holds it for as long as the socket is open
        await service.serve(wire, address, partial(_next_text, receive))


async def _accepted(service: Service, settings: Settings, scope: Scope, receive: Receive, send: Send) -> bool:
    request_id = request_context.enter(scope)
    websocket = WebSocket(scope, receive, send)
    refusal = refuse(websocket, settings)
    if refusal is None:
        await websocket.accept(SUBPROTOCOL, [request_id])
        return True
    service.metrics.count("refused", reason=refusal.name)
    log.info("handshake_refused", reason=refusal.name)
    problem = {"type": "about:blank", "title": refusal.name, "status": refusal.status, "detail": refusal.detail}
    name, value = (part.decode() for part in request_id)
    await websocket.send_denial_response(
        JSONResponse(problem, refusal.status, {name: value}, media_type="application/problem+json")
    )
    return False


def refuse(websocket: WebSocket, settings: Settings) -> Refusal | None:
    """Why this handshake must not be accepted."""
    origins = websocket.headers.getlist("origin")
    allowed = settings.allow_no_origin if not origins else len(origins) == 1 and origins[0].lower() in settings.origins
    if not allowed:
        return Refusal(403, "origin", "this origin is not allowed; add it to EMS_WS_ORIGINS if it should be")
    if request_context.had_query(websocket.scope):
        return Refusal(400, "query", "no query string here; the token is the first message")
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        return Refusal(400, "subprotocol", f"ask for the subprotocol {SUBPROTOCOL}")
    return None


async def _next_text(receive: Receive) -> str | None:
    message = await receive()
    if message["type"] == "websocket.disconnect":
        return None
    text: str | None = message.get("text")
    if text is None:
        raise BadMessageError("only text messages are understood")
    return text
