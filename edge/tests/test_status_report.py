"""The report that an edge makes of itself: in Redis while there is one, in its file while the disk takes it."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from ems_contract import keys
from ems_contract.edge_events import EdgeStatus
from ems_contract.points import Reason
from ems_contract.provisioning import Device, EdgeConfig
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.config import check_config
from ems_edge.poller import Answer
from ems_edge.problems import Document
from ems_edge.profile import Profiles
from ems_edge.redis_door import RedisDoor
from ems_edge.status_report import FILE, Situation, StatusReport

BOOT = "0b8a1c5e-7a52-4f5c-9d60-9f9e5f1f0001"
METER = Device("grid_meter", "Grid meter", "modbus", "stl_meter", {"host": "127.0.0.1", "port": 5020, "unit": 1})
PLAN = check_config(Document("test", msgspec.to_builtins(EdgeConfig("r7", [METER]))), Profiles())


@dataclass
class Reporting:
    report: StatusReport
    buffer: MemoryBuffer
    problems: dict[str, str] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def reporting(file: Path) -> AsyncIterator[Reporting]:
    buffer, problems = MemoryBuffer(1_000), dict[str, str]()
    situation = Situation(lambda: problems, lambda: "refused: why", lambda: 1_500)
    report = StatusReport(BOOT, "ems-edge test", buffer, situation, file)
    task = asyncio.create_task(report.run())
    try:
        yield Reporting(report, buffer, problems)
    finally:
        task.cancel()
        await asyncio.wait([task])


def _said(text: bytes | None) -> EdgeStatus:
    assert text is not None
    return msgspec.json.decode(text, type=EdgeStatus)


async def test_the_file_says_how_the_edge_and_each_device_is_doing(tmp_path: Path) -> None:
    file = tmp_path / FILE
    async with reporting(file) as edge:
        await until(file.exists, "the first report")
        assert _said(file.read_bytes()).devices == []
        await edge.buffer.append(NewBatch(Name(BOOT, 1), b"x" * 600, 5_000, 6_000))
        await edge.buffer.append(NewBatch(Name(BOOT, 2), b"x" * 600, 7_000, 8_000))
        edge.problems["redis"] = "away"
        edge.report.expect(PLAN)
        edge.report.see(
            [Answer("grid_meter", 8_000, {"grid_meter.active_power": 1.0, "grid_meter.reads": Reason.TIMEOUT})]
        )
        said = await until(lambda: (now := _said(file.read_bytes())).devices and now, "its device")
    assert isinstance(said, EdgeStatus)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (said.boot, said.software, said.revision, said.offset) == (BOOT, "ems-edge test", "r7", 1_500)
    assert (said.backlog, said.backlog_size, said.oldest, said.dropped) == (1, 600, 7_000, 1)
    assert (said.config_problem, said.problems) == ("refused: why", {"redis": "away"})
    (meter,) = said.devices
    assert (meter.key, meter.points, meter.good, meter.answered) == ("grid_meter", 13, 1, 8_000)
    assert meter.reason == "not_polled"


async def test_redis_has_the_newest_report_as_soon_as_it_is_there(redis_server: RedisProcess, tmp_path: Path) -> None:
    access = redis_server.edge_user()

    def stored() -> bytes | None:
        found = redis_server.admin.hget(keys.edge_status(1), "edge_1")
        return found if isinstance(found, bytes) else None

    async with reporting(tmp_path / FILE) as edge:
        await until((tmp_path / FILE).exists, "a report before there is a connection")
        redis = RedisDoor(1, 1, lambda: access)
        sending = asyncio.create_task(edge.report.send(redis))
        await until(stored, "the first report")
        edge.report.expect(PLAN)
        await until(lambda: _said(stored()).revision == "r7", "the next one")
        sending.cancel()
        await asyncio.wait([sending])
        await redis.close()


async def test_a_disk_that_takes_no_file_is_logged_once_and_holds_up_nothing(
    redis_server: RedisProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    access = redis_server.edge_user()
    async with reporting(tmp_path / "nowhere" / FILE) as edge:
        redis = RedisDoor(1, 1, lambda: access)
        sending = asyncio.create_task(edge.report.send(redis))
        for _ in range(3):
            redis_server.admin.delete(keys.edge_status(1))
            edge.report.expect(PLAN)
            await until(lambda: redis_server.admin.hexists(keys.edge_status(1), "edge_1"), "a report in Redis")
        sending.cancel()
        await asyncio.wait([sending])
        await redis.close()
    assert capsys.readouterr().out.count("status file cannot be written") == 1
