"""What the edge tells the backend: at least once, in order, over restarts and losses."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from edge_support.commanding import EVENTS, QUICK
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract.edge_events import ConfigEvent, EdgeEvent
from ems_edge import events as sending
from ems_edge import events_journal
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.clock import Clock
from ems_edge.command_file import CommandFile
from ems_edge.events import Events
from ems_edge.events_journal import EventJournal
from ems_edge.image import Image
from ems_edge.uplink import Uplink


@dataclass
class Telling:
    events: Events
    file: CommandFile
    count: int = 0

    def tell(self, count: int = 1) -> None:
        for _ in range(count):
            self.count += 1
            self.events.tell(ConfigEvent(1, str(self.count), self.count))


@contextlib.asynccontextmanager
async def telling(folder: Path, server: RedisProcess | None, check_every: float = 0.2) -> AsyncIterator[Telling]:
    """One life; without a server it has no connection."""
    file = CommandFile(folder / "commands.db")
    await file.open()
    journal = EventJournal(file)
    await journal.load()
    events = Events(journal, check_every)
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(events.run())
        linked = tasks.create_task(_uplink(server, events).run()) if server is not None else None
        try:
            yield Telling(events, file)
        finally:
            events.close()
            await keeping
            if linked is not None:
                linked.cancel()
    await file.close()


def _uplink(server: RedisProcess, events: Events) -> Uplink:
    image = Image("edge_1", str(uuid.uuid4()))
    return Uplink(
        1,
        1,
        MemoryBuffer(1_000_000),
        Clock(),
        image,
        server.edge_user(),
        refused=lambda: None,
        config_changed=lambda: None,
        companions=[events.send],
        tuning=QUICK,
    )


def heard(server: RedisProcess) -> list[int]:
    """What is in the stream, in order."""
    entries = server.admin.xrange(EVENTS)
    return [int(msgspec.json.decode(fields[b"event"], type=EdgeEvent).ts) for _, fields in entries]  # type: ignore[type-var]


async def test_what_was_told_before_there_was_a_connection_is_heard_in_order_after_a_restart(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    async with telling(tmp_path, None) as told:
        told.tell(200)
    async with telling(tmp_path, redis_server) as told:
        await until(lambda: heard(redis_server) == list(range(1, 201)), "all of it")
        await told.events.flush(10)  # until it knows that it was taken
    async with telling(tmp_path, redis_server):
        await stays(lambda: len(heard(redis_server)) == 200, "nothing is said again", 0.5)


async def test_redis_that_was_wiped_is_told_again_what_it_had_taken_though_nothing_new_happens(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    async with telling(tmp_path, redis_server) as told:
        told.tell(3)
        await until(lambda: heard(redis_server) == [1, 2, 3], "all of it")
        redis_server.admin.delete(EVENTS)
        await until(lambda: heard(redis_server) == [1, 2, 3], "all of it again")
        redis_server.admin.delete(EVENTS)
        told.tell()
        await until(lambda: sorted(set(heard(redis_server))) == [1, 2, 3, 4], "all of it, with what is new")


async def test_what_the_backend_took_out_of_the_stream_is_not_said_again(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    async with telling(tmp_path, redis_server) as told:
        told.tell(3)
        await until(lambda: heard(redis_server) == [1, 2, 3], "all of it")
        for entry, _ in redis_server.admin.xrange(EVENTS):
            redis_server.admin.xdel(EVENTS, entry)
        told.tell()
        await until(lambda: heard(redis_server) == [4], "what is new")
        await stays(lambda: heard(redis_server) == [4], "and nothing else", 0.5)


async def test_redis_killed_in_the_middle_misses_nothing(tmp_path: Path, mortal_redis: RedisProcess) -> None:
    async with telling(tmp_path, mortal_redis) as told:
        told.tell(50)
        await until(lambda: heard(mortal_redis), "some of it")
        mortal_redis.kill()
        told.tell(50)
        mortal_redis.start()
        await until(lambda: set(heard(mortal_redis)) == set(range(1, 101)), "all of it", 20)
        assert sorted(set(heard(mortal_redis)), key=heard(mortal_redis).index) == list(range(1, 101))


async def test_a_backend_that_is_away_does_not_fill_redis(
    tmp_path: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_IN_STREAM", 100)
    monkeypatch.setattr(sending, "FULL_PAUSE", 0.05)
    async with telling(tmp_path, redis_server) as told:
        told.tell(400)
        await until(lambda: len(heard(redis_server)) >= 100, "some of it")
        await stays(lambda: len(heard(redis_server)) < 100 + sending.CHUNK, "and no more", 0.3)
        redis_server.admin.xtrim(EVENTS, maxlen=0)
        await until(lambda: heard(redis_server)[-1:] > [120], "the rest follows")


async def test_redis_that_is_full_takes_them_later(
    tmp_path: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FULL_PAUSE", 0.05)
    async with telling(tmp_path, redis_server) as told:
        redis_server.admin.config_set("maxmemory", "1")
        told.tell(5)
        await stays(lambda: heard(redis_server) == [], "it takes nothing", 0.2)
        redis_server.admin.config_set("maxmemory", "0")
        await until(lambda: heard(redis_server) == [1, 2, 3, 4, 5], "all of it")


async def test_of_events_that_nobody_takes_the_newest_are_kept(
    tmp_path: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_journal, "KEPT", 150)
    async with telling(tmp_path, None) as told:
        told.tell(400)
    async with telling(tmp_path, redis_server):
        await until(lambda: heard(redis_server)[-1:] == [400], "the newest")
    assert heard(redis_server) == list(range(251, 401))


async def test_a_disk_that_takes_nothing_does_not_keep_them_from_being_told(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    async with telling(tmp_path, redis_server) as told:
        told.tell()
        await until(lambda: heard(redis_server) == [1], "the first")
        await told.file.run(lambda db: db.execute("PRAGMA query_only = ON"))
        told.tell(3)
        await until(lambda: heard(redis_server) == [1, 2, 3, 4], "the rest")
        await stays(lambda: len(heard(redis_server)) == 4, "once", 0.3)
