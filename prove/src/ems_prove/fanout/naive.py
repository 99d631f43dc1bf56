"""What one writes first: FastAPI, redis-py's pub/sub, `await send_text` for one client after the other.

    python -m ems_prove.fanout.naive PORT REDIS_URL

A client names its site with its first message. No access is checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from redis.asyncio import Redis


def create_app(redis_url: str) -> FastAPI:
    clients: dict[str, set[WebSocket]] = {}

    async def forward() -> None:
        async with Redis.from_url(redis_url) as redis, redis.pubsub() as pubsub:
            await pubsub.psubscribe("telemetry:*")
            async for message in pubsub.listen():
                if message["type"] != "pmessage":
                    continue
                site = message["channel"].decode().removeprefix("telemetry:")
                text = message["data"].decode()
                for client in list(clients.get(site, ())):
                    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                        await client.send_text(text)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(forward())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/ws")
    async def live(client: WebSocket) -> None:
        await client.accept()
        site = await client.receive_text()
        clients.setdefault(site, set()).add(client)
        await client.send_text("subscribed")
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await client.receive_text()
        clients[site].discard(client)

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(sys.argv[2]),
        port=int(sys.argv[1]),
        log_level="warning",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
    )
