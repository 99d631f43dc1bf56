"""Who is measured: how each server is started, and what must be installed for it.

Each is one process on its own core. All but NATS and Mosquitto, which are brokers themselves, hear the same Redis.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from ems_stack import peers, ports, redis_binary
from ems_stack.peers import NoPeerError
from ems_stack.redis_server import SERVICE_USERS, RedisServer
from ems_stack.services import BIN

from ems_prove.fanout import issuer
from ems_prove.fanout.dialects import ORIGIN
from ems_prove.fanout.machine import cores, on_core
from ems_prove.fanout.publishers import Kind, Where
from ems_prove.waiting import eventually

START_SECONDS = 20.0
OURS = "ours"
NATS = "NATS"
_UNLIMITED = {"EMS_WS_MAX_SOCKETS_PER_USER": "100000", "EMS_WS_MAX_SOCKETS_PER_ADDRESS": "100000"}


@dataclass(frozen=True)
class Running:
    """`pids`: whose CPU time is told; `tokens` only where somebody asks for one."""

    dialect: str
    port: int
    where: Where
    pids: Mapping[str, int]
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Where the servers run: a folder for their files, and how many people and sites there are."""

    home: Path
    users: int = 10
    sites: int = 10


@dataclass(frozen=True)
class Contestant:
    """`start` is used as a context; it raises NoPeerError, whose message says what to install."""

    name: str
    start: Callable[[Scene], Iterator[Running]]


@contextmanager
def running(contestant: Contestant, scene: Scene) -> Iterator[Running]:
    """The server, listening. Raises NoPeerError."""
    with contextmanager(contestant.start)(scene) as server:
        yield server


# Processes --------------------------------------------------------------------------------------------------------


@contextmanager
def _process(command: list[str], home: Path, core: int | None, environment: Mapping[str, str] = {}) -> Iterator[int]:
    """Its pid. What it prints is in `home`, and told when it ends by itself."""
    log = home / f"{Path(command[0]).name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output, on_core(core):
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home
        )
    try:
        yield process.pid
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {log.read_text()[-2_000:]}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _server(command: list[str], home: Path, port: int, environment: Mapping[str, str] = {}) -> Iterator[int]:
    pinned = cores()
    with _process(command, home, pinned[0] if pinned else None, environment) as pid:
        eventually(f"{command[0]} on port {port}", lambda: _listens(port), START_SECONDS, 0.02)
        yield pid


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _redis(home: Path) -> Iterator[tuple[RedisServer, int]]:
    """With the users of the product, keeping nothing on disk."""
    pinned = cores()
    passwords = {user: os.urandom(16).hex() for user in SERVICE_USERS}
    server = RedisServer(home / "redis", ports.free_ports(1)[0], passwords, redis_binary.find(), durable=False)
    server.prepare()
    with _process(server.command(), home, pinned[1] if pinned else None) as pid:
        eventually("Redis", server.is_ready, START_SECONDS, 0.02)
        yield server, pid


def _where(server: RedisServer, kind: Kind = "redis") -> Where:
    return Where(kind, server.port, "stack", server.passwords["stack"])


# Who ------------------------------------------------------------------------------------------------------------------


def _ours(scene: Scene) -> Iterator[Running]:
    """As in production: every access check, gaps, metrics; only the limits for sockets of one person are lifted."""
    port, backend = ports.free_ports(2)
    with _redis(scene.home) as (redis, redis_pid), issuer.serving(backend, scene.users, scene.sites) as people:
        environment = {
            "EMS_REDIS_URL": redis.url("realtime"),
            "EMS_BACKEND_URL": people.url,
            "EMS_WS_ORIGINS": ORIGIN,
            "EMS_LOG_LEVEL": "WARNING",
            **_UNLIMITED,
        }
        command = [str(BIN / "ems-realtime"), "--port", str(port)]
        with _server(command, scene.home, port, environment) as pid:
            eventually("the service", lambda: _ready(port), START_SECONDS, 0.02)
            pids = {"server": pid, "Redis": redis_pid}
            yield Running("ems", port, _where(redis), pids, tuple(people.tokens))


def _ready(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200


def _on_redis(
    dialect: str, command: Callable[[], list[str]], kind: Kind = "redis"
) -> Callable[[Scene], Iterator[Running]]:
    """`command` is given the port and Redis' URL."""

    def start(scene: Scene) -> Iterator[Running]:
        words = command()
        port = ports.free_ports(1)[0]
        with (
            _redis(scene.home) as (redis, redis_pid),
            _server([*words, str(port), redis.url("stack")], scene.home, port) as pid,
        ):
            yield Running(dialect, port, _where(redis, kind), {"server": pid, "Redis": redis_pid})

    return start


def _python(module: str, *needs: str) -> Callable[[], list[str]]:
    def command() -> list[str]:
        if missing := [name for name in needs if importlib.util.find_spec(name) is None]:
            raise NoPeerError(f"Python has no {', '.join(missing)}; install it: pip install {' '.join(missing)}")
        return [sys.executable, "-m", module]

    return command


def _nats(scene: Scene) -> Iterator[Running]:
    program = peers.installed("nats-server")
    port, clients = ports.free_ports(2)
    file = scene.home / "nats.conf"
    file.write_text(
        f'listen: "127.0.0.1:{clients}"\nping_interval: "10m"\n'
        f'websocket {{ listen: "127.0.0.1:{port}", no_tls: true, compression: false }}\n'
    )
    with _server([str(program), "--config", str(file)], scene.home, port) as pid:
        yield Running("nats", port, Where("nats", clients), {"server": pid})


def _mosquitto(scene: Scene) -> Iterator[Running]:
    program = peers.installed("mosquitto")
    port, clients = ports.free_ports(2)
    file = scene.home / "mosquitto.conf"
    file.write_text(
        "per_listener_settings false\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
        f"listener {clients} 127.0.0.1\nlistener {port} 127.0.0.1\nprotocol websockets\n"
    )
    with _server([str(program), "-c", str(file)], scene.home, port) as pid:
        yield Running("mqtt", port, Where("mqtt", clients), {"server": pid})


CONTESTANTS = (
    Contestant(OURS, _ours),
    Contestant(NATS, _nats),
    Contestant("Mosquitto", _mosquitto),
    Contestant("Node ws", _on_redis("plain", lambda: peers.script("ws_fanout"))),
    Contestant("Socket.IO", _on_redis("socket.io", lambda: peers.script("socketio_fanout"))),
    Contestant("FastAPI", _on_redis("plain", _python("ems_prove.fanout.naive"))),
    Contestant(
        "Channels",
        _on_redis("plain", _python("ems_prove.fanout.django_channels", "channels", "channels_redis"), "channels"),
    ),
)
FIREHOSE = Contestant("a sender that only writes", _on_redis("plain", _python("ems_prove.fanout.firehose")))
"""Nobody's competitor: it says how much the load takes at most."""
BY_NAME = {one.name: one for one in CONTESTANTS}
