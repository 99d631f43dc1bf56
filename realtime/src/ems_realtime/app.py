"""The application that uvicorn runs: the socket of `handshake.py`, and in FastAPI what operators ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ems_realtime import handshake
from ems_realtime.request_context import RequestContext
from ems_realtime.service import Service
from ems_realtime.settings import Settings


class LiveApp(FastAPI):
    """FastAPI, but for its socket: see `handshake.py`. `service` is there from startup on."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(lifespan=self._life, docs_url=None, redoc_url=None, openapi_url=None)
        self.add_middleware(RequestContext)
        self.settings = settings
        self.service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["path"] == handshake.PATH:
            await handshake.serve(self.service, self.settings, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def _life(self, app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG002 -- it is this one
        self.service = Service(self.settings)
        await self.service.start()
        yield
        await self.service.stop()


def create_app(settings: Settings) -> LiveApp:
    app = LiveApp(settings)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        ready, state = await app.service.readiness()
        return JSONResponse({"ready": ready, **state}, status_code=200 if ready else 503)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        body, content_type = app.service.metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return app
