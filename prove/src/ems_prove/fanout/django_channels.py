"""Django Channels as its documentation shows it: one consumer for each socket, in its site's group, under uvicorn.

    python -m ems_prove.fanout.django_channels PORT REDIS_URL

The channel layer is the faster of the two that channels_redis has: Redis' pub/sub. What is published is what
`group_send` would have. A client names its site with its first message; no access is checked.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path


class Live(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        await self.channel_layer.group_add(text_data, self.channel_name)
        await self.send("subscribed")

    async def telemetry(self, event: dict[str, Any]) -> None:
        await self.send(event["text"])


def main(port: int, redis_url: str) -> None:
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [redis_url]}}
    settings.configure(CHANNEL_LAYERS={"default": layer}, SECRET_KEY="of no use", USE_TZ=True)  # noqa: S106
    http = get_asgi_application()
    app = ProtocolTypeRouter({"http": http, "websocket": URLRouter([path("ws", Live.as_asgi())])})
    uvicorn.run(
        app, port=port, log_level="warning", lifespan="off", ws_per_message_deflate=False, ws_ping_interval=None
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
