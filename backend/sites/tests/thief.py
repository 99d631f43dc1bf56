"""A thief of an edge's key: connects with what its session answers, and tries commands on any name there is."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.test import APIClient

from ems_contract import keys
from ems_contract.provisioning import RedisAccess, SessionAnswer
from testing.cast import EdgeKit

Command = tuple[str | bytes | int, ...]


def session(text: str) -> RedisAccess:
    body = {"boot": str(uuid.uuid4()), "software": "ems-edge 0.1"}
    answer = APIClient().post("/api/edge/session", body, format="json", HTTP_AUTHORIZATION=f"Bearer {text}")
    assert answer.status_code == 200, answer.content
    return msgspec.json.decode(answer.content, type=SessionAnswer).redis


def connect(access: RedisAccess) -> redis.Redis:
    """Of one connection, which is never opened again by itself."""
    return redis.Redis.from_url(
        access.url,
        username=access.username,
        password=access.password,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
        socket_timeout=5,
    )


class Names:
    """What the key of site A is tried on: its own, those of another edge, of another site, and everybody's."""

    def __init__(self, own: EdgeKit, other: EdgeKit, foreign_site: int) -> None:
        site, edge = own.edge.site_id, own.edge.pk
        self.stream = keys.telemetry_stream(site, edge)
        self.backfill = keys.telemetry_stream(site, edge, "backfill")
        self.acked = keys.telemetry_acked(site, edge)
        self.latest = keys.telemetry_latest(site)
        self.commands = keys.commands_stream(site, edge)
        self.events = keys.edge_events_stream(site, edge)
        self.status = keys.edge_status(site)
        self.mine = (
            *(self.stream, self.backfill, self.acked, self.latest),
            *(self.commands, self.events, self.status),
        )
        self.foreign_channels = (
            keys.telemetry_channel(foreign_site),
            keys.alerts_channel(foreign_site),
            keys.alerts_channel(site),
            keys.commands_channel(foreign_site),
            keys.commands_channel(site),
            keys.permission_changed_channel(1),
            keys.user_events_channel(1),
            keys.config_changed_channel(other.edge.pk),
            "telemetry:*",
            "user:*",
            "*",
        )
        self.foreign_keys = (
            keys.telemetry_stream(site, other.edge.pk),
            keys.telemetry_stream(site, other.edge.pk, "backfill"),
            keys.telemetry_acked(site, other.edge.pk),
            keys.commands_stream(site, other.edge.pk),
            keys.telemetry_stream(foreign_site, edge),
            keys.telemetry_stream(foreign_site, other.edge.pk),
            keys.telemetry_latest(foreign_site),
            keys.telemetry_acked(foreign_site, edge),
            keys.commands_stream(foreign_site, edge),
            keys.edge_events_stream(site, other.edge.pk),
            keys.edge_events_stream(foreign_site, edge),
            keys.edge_status(foreign_site),
            keys.user_epoch(1),
            keys.grant("ab" * 32),
            "django:1:session",
            f"{self.stream}:x",
            self.stream.upper(),
        )


def refuses(connection: redis.Redis, *command: Any) -> bool:
    """Whether Redis said NOPERM. Anything else, an answer or another error, means that the command got through."""
    try:
        connection.execute_command(*command)
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False


def taken(connection: redis.Redis, commands: list[Command]) -> list[Command]:
    """Those that were not refused."""
    return [command for command in commands if not refuses(connection, *command)]


def state(admin: redis.Redis) -> dict[bytes, bytes | None]:
    """Everything in Redis that a database dump would hold."""
    return {key: admin.dump(key) for key in admin.scan_iter("*")}


def reading(key: str) -> list[Command]:
    return [
        ("GET", key),
        ("GETDEL", key),
        ("MGET", key),
        ("STRLEN", key),
        ("XRANGE", key, "-", "+"),
        ("XREVRANGE", key, "+", "-"),
        ("XLEN", key),
        ("XREAD", "COUNT", 1, "STREAMS", key, "0"),
        ("XINFO", "STREAM", key),
        ("HGETALL", key),
        ("HGET", key, "edge_1"),
        ("HSCAN", key, 0),
        ("DUMP", key),
        ("TYPE", key),
        ("EXISTS", key),
        ("TTL", key),
        ("OBJECT", "ENCODING", key),
        ("MEMORY", "USAGE", key),
        ("SORT", key),
        ("WATCH", key),
    ]


def writing(key: str) -> list[Command]:
    return [
        ("SET", key, "x"),
        ("SETEX", key, 1, "x"),
        ("APPEND", key, "x"),
        ("INCR", key),
        ("GETSET", key, "x"),
        ("HSET", key, "edge_1", "{}"),
        ("HDEL", key, "edge_1"),
        ("XADD", key, "*", "batch", "{}"),
        ("XDEL", key, "1-1"),
        ("XTRIM", key, "MAXLEN", 0),
        ("XSETID", key, "1-1"),
        ("XGROUP", "CREATE", key, "g", "$", "MKSTREAM"),
        ("LPUSH", key, "x"),
        ("SADD", key, "x"),
        ("DEL", key),
        ("UNLINK", key),
        ("EXPIRE", key, 1),
        ("PEXPIREAT", key, 1),
        ("RENAME", key, f"{key}:gone"),
        ("COPY", key, f"{key}:copy"),
        ("MOVE", key, 1),
        ("MIGRATE", "127.0.0.1", 1, key, 0, 1),
        ("RESTORE", key, 0, b"\x00"),
    ]


ABOUT_THE_SERVER: list[Command] = [
    ("KEYS", "*"),
    ("SCAN", 0),
    ("RANDOMKEY",),
    ("DBSIZE",),
    ("INFO",),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "maxmemory", 1),
    ("ACL", "WHOAMI"),
    ("ACL", "LIST"),
    ("ACL", "SETUSER", "thief", "on", "+@all"),
    ("ACL", "DELUSER", "backend"),
    ("EVAL", "return 1", 0),
    ("EVALSHA", "0" * 40, 0),
    ("FUNCTION", "LIST"),
    ("FCALL", "f", 0),
    ("SCRIPT", "FLUSH"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("SWAPDB", 0, 1),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("CLIENT", "PAUSE", 1000),
    ("CLIENT", "TRACKING", "ON", "BCAST"),
    ("CLIENT", "NO-EVICT", "on"),
    ("PUBSUB", "CHANNELS"),
    ("MONITOR",),
    ("SHUTDOWN", "NOSAVE"),
    ("REPLICAOF", "127.0.0.1", 1),
    ("SYNC",),
    ("PSYNC", "?", -1),
    ("SAVE",),
    ("BGSAVE",),
    ("BGREWRITEAOF",),
    ("MODULE", "LIST"),
    ("SLOWLOG", "GET"),
    ("LATENCY", "RESET"),
    ("CLUSTER", "INFO"),
    ("FAILOVER",),
    ("COMMAND",),
    ("MULTI",),
    ("WAIT", 1, 1),
    ("LOLWUT",),
]
"""AUTH, HELLO, QUIT and RESET are open to everyone and give nothing; DEBUG is open to nobody."""
