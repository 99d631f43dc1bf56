"""Many edges in one process: files come, change and go, and one that fails ends nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_support.devices import Endpoint, endpoint, meter
from edge_support.edge_process import standalone
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from ems_contract import keys
from ems_edge import fleet
from ems_edge.fleet import Fleet


@pytest.fixture
async def devices() -> AsyncIterator[Endpoint]:
    async with endpoint({1: meter()}) as served:
        yield served


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(fleet, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(fleet, "BACKOFF_FIRST", 0.05)
    made = Fleet(tmp_path)
    task = asyncio.create_task(made.run())
    yield made
    made.stop()
    await asyncio.wait_for(task, 20)


def _bootstrap(folder: Path, name: str, server: RedisProcess, devices: Endpoint) -> Path:
    """A file beside the others, with a store of its own."""
    drafts = folder / "drafts"
    drafts.mkdir(exist_ok=True)
    made = standalone(drafts, server.edge_user(), devices.port, 0.2, {"grid_meter": 1})
    text = made.read_text().replace("store: store", f"store: {name}")
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return file


async def test_a_file_that_comes_starts_an_edge_and_one_that_goes_stops_it(
    running: Fleet, tmp_path: Path, redis_server: RedisProcess, devices: Endpoint
) -> None:
    assert list(running.not_ready()) == ["edges"]
    file = _bootstrap(tmp_path, "north", redis_server, devices)
    await until(lambda: running.not_ready() == {}, "the edge to be ready", 15)
    await until(lambda: redis_server.admin.hexists(keys.telemetry_latest(1), "edge_1"), "its image", 15)
    file.unlink()
    await until(lambda: list(running.not_ready()) == ["edges"], "the edge to be gone", 15)


async def test_a_wrong_file_is_told_and_its_correction_taken_while_the_others_go_on(
    running: Fleet, tmp_path: Path, redis_server: RedisProcess, devices: Endpoint
) -> None:
    _bootstrap(tmp_path, "north", redis_server, devices)
    wrong = tmp_path / "south.yaml"
    wrong.write_text("store: south\nurl: nowhere\nkey: x\n")
    await until(lambda: list(running.not_ready()) == ["south.edge"], "north alone to be ready", 15)
    assert "url" in running.not_ready()["south.edge"]
    assert "south.yaml" in running.not_ready()["south.edge"]
    wrong.unlink()
    _bootstrap(tmp_path, "south", redis_server, devices)
    await until(lambda: running.not_ready() == {}, "both to be ready", 15)


async def test_an_edge_whose_store_is_taken_fails_alone_and_is_tried_again(
    running: Fleet, tmp_path: Path, redis_server: RedisProcess, devices: Endpoint
) -> None:
    first = _bootstrap(tmp_path, "north", redis_server, devices)
    await until(lambda: running.not_ready() == {}, "the first to be ready", 15)
    second = tmp_path / "south.yaml"
    second.write_text(first.read_text())
    await until(lambda: "another edge runs" in running.not_ready().get("south.edge", ""), "the refusal", 15)
    assert list(running.not_ready()) == ["south.edge"]
    first.unlink()
    await until(lambda: running.not_ready() == {}, "the second to take over", 15)
