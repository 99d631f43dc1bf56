"""Everything that a thief of an edge's key would try in Redis, as data: commands by what they are tried on.

`{key}` stands for a name. Whoever steals a key has the edge's own rights; so what counts is what is not refused beyond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ems_contract import keys

Command = tuple[str, ...]

READ = """
GET {key}|GETDEL {key}|MGET {key}|STRLEN {key}|XRANGE {key} - +|XREVRANGE {key} + -|XLEN {key}|XREAD STREAMS {key} 0
XINFO STREAM {key}|HGETALL {key}|HGET {key} edge_1|HSCAN {key} 0|DUMP {key}|TYPE {key}|EXISTS {key}|TTL {key}
OBJECT ENCODING {key}|MEMORY USAGE {key}|SORT {key}|WATCH {key}
"""
WRITE = """
SET {key} x|SETEX {key} 1 x|APPEND {key} x|INCR {key}|GETSET {key} x|HDEL {key} edge_1|XDEL {key} 1-1
XTRIM {key} MAXLEN 0|XSETID {key} 1-1|XGROUP CREATE {key} g $ MKSTREAM|LPUSH {key} x|SADD {key} x|DEL {key}|UNLINK {key}
EXPIRE {key} 1|PEXPIREAT {key} 1|PERSIST {key}|RENAME {key} {key}:gone|COPY {key} {key}:copy|MOVE {key} 1
RESTORE {key} 0 x
"""
ADD = "XADD {key} * batch {{}}|HSET {key} edge_1 {{}}"
TALK = "PUBLISH {key} {{}}|SPUBLISH {key} {{}}|SUBSCRIBE {key}|SSUBSCRIBE {key}|PSUBSCRIBE {key}"
SERVER = """
KEYS *|SCAN 0|RANDOMKEY|DBSIZE|INFO|CONFIG GET *|CONFIG SET maxmemory 1|CONFIG REWRITE|ACL WHOAMI|ACL LIST
ACL SETUSER thief on +@all|ACL DELUSER backend|EVAL return(1) 0|FUNCTION LIST|SCRIPT FLUSH|FLUSHALL|FLUSHDB|SWAPDB 0 1
CLIENT LIST|CLIENT KILL TYPE normal|CLIENT PAUSE 1000|CLIENT TRACKING ON BCAST|PUBSUB CHANNELS|MONITOR|SHUTDOWN NOSAVE
REPLICAOF 127.0.0.1 1|PSYNC ? -1|SAVE|BGSAVE|BGREWRITEAOF|MODULE LIST|SLOWLOG GET|CLUSTER INFO|FAILOVER|MULTI|WAIT 1 1
"""


def attempts(site: int, edge: int, other_site: int, other_edge: int) -> list[Command]:
    """Of the key of `edge` on `site`. `other_edge` is on `other_site`."""
    streams = [keys.telemetry_stream(site, edge, lane) for lane in keys.LANES]
    read_only = [keys.telemetry_acked(site, edge), keys.commands_stream(site, edge)]
    foreign = [
        *(keys.telemetry_stream(other_site, other_edge, lane) for lane in keys.LANES),
        keys.telemetry_stream(site, other_edge),
        keys.telemetry_stream(other_site, edge),
        keys.telemetry_latest(other_site),
        keys.telemetry_acked(other_site, other_edge),
        keys.telemetry_acked(site, other_edge),
        keys.commands_stream(other_site, other_edge),
        keys.commands_stream(site, other_edge),
        keys.user_epoch(1),
        keys.grant("ab" * 32),
        "django:1:session",
    ]
    channels = [
        keys.telemetry_channel(other_site),
        keys.alerts_channel(site),
        keys.alerts_channel(other_site),
        keys.permission_changed_channel(1),
        keys.user_events_channel(1),
        keys.config_changed_channel(other_edge),
        "telemetry:*",
        "user:*",
        "*",
    ]
    return [
        *_each(READ + "|" + WRITE + "|" + ADD, foreign),
        *_each(WRITE, streams),
        *_each(WRITE + "|" + ADD, read_only),
        *_each(READ + "|" + WRITE, [keys.telemetry_latest(site)]),
        *_each(TALK, channels),
        *_each(SERVER, ["-"]),
    ]


def _each(commands: str, names: Iterable[str]) -> Iterator[Command]:
    for name in names:
        for command in commands.replace("\n", "|").split("|"):
            if words := command.split():
                yield tuple(word.format(key=name) for word in words)
