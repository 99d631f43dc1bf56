"""`ems-realtime`: reads the environment, starts the server, leaves politely on SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from typing import Annotated

import typer
import uvicorn
from ems_contract import logs

from ems_realtime.addresses import as_peers
from ems_realtime.app import create_app
from ems_realtime.server_uvicorn import DrainingServer, HandshakeProtocol
from ems_realtime.settings import Settings, SettingsError
from ems_realtime.wire_uvicorn import LiveProtocol

cli = typer.Typer(add_completion=False)

_TALKATIVE = ("uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets", "httpx", "httpcore", "asyncio")
"""At DEBUG some of these write whole frames and headers, tokens included. They never get below WARNING."""


def create_server(settings: Settings, host: str, port: int) -> DrainingServer:
    """uvicorn as this service needs it. Its sockets are `wire_uvicorn.py`'s."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=HandshakeProtocol,
        ws=LiveProtocol,
        ws_max_size=settings.max_message_bytes,
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=as_peers(settings.trusted_proxies),
        timeout_graceful_shutdown=5,
    )

    async def drain() -> None:
        await app.service.drain()

    return DrainingServer(config, drain)


def listener(host: str, port: int, *, shared: bool) -> socket.socket:
    """A place to listen. One that is `shared` other processes may have too: the kernel spreads new connections over
    them (Linux). Raises OSError.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind((host, port))
    except OSError as error:
        place.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from None
    return place


@cli.command()
def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65_535)] = 8001,
    reuse_port: Annotated[
        bool, typer.Option("--reuse-port", help="Let several processes listen on this port (SO_REUSEPORT).")
    ] = False,
    own_port: Annotated[
        int | None,
        typer.Option(help="Listen here too, alone: for /metrics and /readyz of this very process.", min=0, max=65_535),
    ] = None,
) -> None:
    """Live telemetry for browsers, at /ws. Needs EMS_REDIS_URL, EMS_BACKEND_URL and EMS_WS_ORIGINS."""
    level = os.environ.get("EMS_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        typer.echo(f"ems-realtime: EMS_LOG_LEVEL: {level!r} is no level; write DEBUG, INFO, WARNING or ERROR", err=True)
        raise typer.Exit(2)
    logs.configure("realtime", level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        typer.echo(f"ems-realtime: {error}", err=True)
        raise typer.Exit(2) from None
    # uvicorn raises the signal again once it is done; it must not look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = create_server(settings, host, port)
    try:
        places = [listener(host, port, shared=reuse_port)]
        if own_port is not None:
            places.append(listener(host, own_port, shared=False))
    except OSError as error:
        typer.echo(f"ems-realtime: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    server.run(sockets=places)


def main() -> None:
    cli()
