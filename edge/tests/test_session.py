"""The session: opened, refreshed, cached, refused. With a real HTTP server in the backend's place."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from edge_support.backend import KEY, Backend
from edge_support.waiting import until
from ems_contract.edge_events import ConfigEvent
from ems_contract.provisioning import Device, EdgeConfig, RedisAccess, SessionAnswer
from ems_edge import provisioning as provisioning_module
from ems_edge.config import Plan
from ems_edge.profile import Profiles
from ems_edge.provisioning import Provisioning
from ems_edge.session import BackendClient, SessionCache, SessionRefusedError, SessionUnavailableError

BOOT = "0b8a1c5e-7a52-4f5c-9d60-9f9e5f1f0001"
METER = Device("grid_meter", "Grid meter", "modbus", "stl_meter", {"host": "127.0.0.1", "port": 5020, "unit": 1})


def config(revision: str, *devices: Device) -> EdgeConfig:
    return EdgeConfig(revision, list(devices or (METER,)))


@pytest.fixture
def backend() -> Iterator[Backend]:
    served = Backend(RedisAccess("redis://127.0.0.1:6379/0", "edge_1_abc123", "the-redis-password"), config("1"))
    served.start()
    yield served
    served.stop()


@dataclass
class Applied:
    """What provisioning handed to the edge, and what it told the backend."""

    answers: list[SessionAnswer] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    events: list[ConfigEvent] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.revision, event.problem) for event in self.events]

    async def __call__(self, answer: SessionAnswer, plan: Plan | None) -> None:
        self.answers.append(answer)
        if plan is not None:
            self.plans.append(plan)


@contextlib.asynccontextmanager
async def provisioned(backend: Backend, folder: Path, key: str = KEY) -> AsyncIterator[tuple[Provisioning, Applied]]:
    applied = Applied()
    async with BackendClient(backend.url, key) as client:
        cache = SessionCache(folder)
        tell = applied.events.append
        provisioning = Provisioning(client, Profiles(), cache, BOOT, "ems-edge test", tell, hurry=0.05)
        task = asyncio.create_task(provisioning.run(applied))
        try:
            yield provisioning, applied
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_a_session_gives_the_configuration_and_reports_the_points(backend: Backend, tmp_path: Path) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: backend.reports, "the report")
    assert backend.sessions[0].boot == BOOT
    assert applied.answers == [backend.answer]
    points = {point.key: point for point in backend.reports[0].points}
    assert len(points) == 13
    assert points["grid_meter.active_power"].unit == "W"
    assert points["grid_meter.energy_import"].kind == "register"
    assert provisioning.problem == ""


async def test_a_refresh_that_changes_nothing_starts_nothing(backend: Backend, tmp_path: Path) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: backend.reports, "the first session")
        provisioning.refresh_soon()
        await until(lambda: len(backend.sessions) == 2, "the second")
        await until(lambda: len(applied.answers) == 2, "its access to be taken over")
    assert len(applied.plans) == 1
    assert len(backend.reports) == 1
    assert applied.told == [("1", "")]


async def test_it_asks_again_by_itself_and_finds_what_nobody_announced(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning_module, "REFRESH", 0.05)
    async with provisioned(backend, tmp_path) as (_, applied):
        await until(lambda: applied.plans, "the first session")
        backend.answer = msgspec.structs.replace(backend.answer, config=config("2", METER))
        await until(lambda: applied.told == [("1", ""), ("2", "")], "the second configuration")


async def test_a_new_configuration_is_taken_over_and_its_points_reported(backend: Backend, tmp_path: Path) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: backend.reports, "the first session")
        battery = msgspec.structs.replace(METER, key="battery", profile="stl_battery")
        backend.answer = msgspec.structs.replace(backend.answer, config=config("2", METER, battery))
        provisioning.refresh_soon()
        await until(lambda: len(backend.reports) == 2, "the second report")
    assert [plan.config.revision for plan in applied.plans] == ["1", "2"]
    assert applied.told == [("1", ""), ("2", "")]
    assert len(backend.reports[1].points) == 13 + 11


async def test_a_bad_configuration_is_refused_and_the_old_one_stays(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: backend.reports, "the first session")
        wrong = msgspec.structs.replace(METER, profile="stl_metre")
        redis = msgspec.structs.replace(backend.answer.redis, password="the-next-password")
        backend.answer = msgspec.structs.replace(backend.answer, config=config("2", wrong), redis=redis)
        provisioning.refresh_soon()
        await until(lambda: len(applied.answers) == 2, "the second session")
        provisioning.refresh_soon()
        await until(lambda: len(applied.answers) == 3, "the same once more")
        assert "config.devices[0].profile" in provisioning.config_problem
        assert provisioning.problem == ""
        backend.answer = msgspec.structs.replace(backend.answer, config=config("3", METER))
        provisioning.refresh_soon()
        await until(lambda: len(applied.told) == 3, "a good one")
        assert provisioning.config_problem == ""
    _, refused, taken = applied.events
    assert (refused.revision, taken.revision, taken.problem) == ("2", "3", "")
    assert "did you mean 'stl_meter'?" in refused.problem
    assert [plan.config.revision for plan in applied.plans] == ["1", "3"]
    assert applied.answers[1].redis.password == "the-next-password"
    assert applied.answers[1].config.revision == "1"
    said = capsys.readouterr().out
    assert "the backend's session: config.devices[0].profile" in said
    assert "did you mean 'stl_meter'?" in said


async def test_a_bad_configuration_is_refused_after_a_restart_too_and_the_cached_one_runs(
    backend: Backend, tmp_path: Path
) -> None:
    async with provisioned(backend, tmp_path):
        await until(lambda: backend.reports, "the first session")
    wrong = msgspec.structs.replace(METER, profile="stl_metre")
    redis = msgspec.structs.replace(backend.answer.redis, password="the-next-password")
    backend.answer = msgspec.structs.replace(backend.answer, config=config("2", wrong), redis=redis)
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: applied.plans, "the old configuration")
        assert "config.devices[0].profile" in provisioning.config_problem
    assert [plan.config.revision for plan in applied.plans] == ["1"]
    assert applied.answers[0].redis.password == "the-next-password"
    assert [revision for revision, problem in applied.told if problem] == ["2"]
    cached = SessionCache(tmp_path).load()
    assert cached is not None
    assert (cached.config.revision, cached.redis.password) == ("1", "the-next-password")


async def test_a_first_configuration_that_is_bad_is_told_and_a_good_one_waited_for(
    backend: Backend, tmp_path: Path
) -> None:
    """The edge has its Redis access, so that it can say so; and nothing to do."""
    good = backend.answer
    wrong = config("1", msgspec.structs.replace(METER, profile="stl_metre"))
    backend.answer = msgspec.structs.replace(good, config=wrong)
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: applied.answers, "its access")
        assert applied.answers[0].redis == good.redis
        assert not applied.plans
        assert SessionCache(tmp_path).load() is None
        assert "config.devices[0].profile" in provisioning.problem
        backend.answer = msgspec.structs.replace(good, config=config("2", METER))
        provisioning.refresh_soon()
        await until(lambda: applied.plans, "the good one")
    assert [revision for revision, _ in applied.told] == ["1", "2"]


async def test_a_session_whose_redis_has_no_address_is_an_outage(backend: Backend, tmp_path: Path) -> None:
    redis = msgspec.structs.replace(backend.answer.redis, url="http://nowhere")
    backend.answer = msgspec.structs.replace(backend.answer, redis=redis)
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: "redis.url" in provisioning.problem, "the reason")
        assert not applied.answers


async def test_without_the_backend_the_cached_session_starts_the_edge(backend: Backend, tmp_path: Path) -> None:
    async with provisioned(backend, tmp_path):
        await until(lambda: backend.reports, "the first session")
    backend.stop()
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: applied.plans, "the cached configuration")
        assert applied.answers == [backend.answer]
        backend.start()
        provisioning.refresh_soon()
        await until(lambda: len(backend.reports) == 2, "the session, at last")
    assert len(applied.plans) == 1


async def test_without_backend_and_cache_it_says_so_and_goes_on_trying(backend: Backend, tmp_path: Path) -> None:
    backend.stop()
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: "POST /api/edge/session" in provisioning.problem, "the reason")
        assert not applied.answers
        backend.start()
        await until(lambda: applied.plans, "the session")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"edge": 3}', b"\xff\xfe\x00"])
def test_a_cache_that_cannot_be_read_is_no_cache(backend: Backend, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "session.json").write_bytes(text)
    assert SessionCache(tmp_path).load() is None


def test_the_cache_is_only_for_its_owner(backend: Backend, tmp_path: Path) -> None:
    cache = SessionCache(tmp_path)
    cache.save(backend.answer)
    cache.save(backend.answer)
    assert stat.S_IMODE((tmp_path / "session.json").stat().st_mode) == 0o600
    assert cache.load() == backend.answer
    assert [entry.name for entry in tmp_path.iterdir()] == ["session.json"]
    SessionCache(tmp_path / "nowhere").save(backend.answer)  # logged, not raised


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_an_outage(backend: Backend, status: int) -> None:
    backend.status = status
    async with BackendClient(backend.url, KEY) as client:
        with pytest.raises(SessionRefusedError, match=f"{status}, the key was revoked"):
            await client.open_session(BOOT, "test")


@pytest.mark.parametrize("status", [301, 404, 429, 500, 503])
async def test_any_other_answer_is_an_outage(backend: Backend, status: int) -> None:
    backend.status = status
    async with BackendClient(backend.url, KEY) as client:
        with pytest.raises(SessionUnavailableError, match=str(status)):
            await client.open_session(BOOT, "test")


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"edge": "edge_1"}', b"[" * 5000])
async def test_an_answer_that_is_no_session_is_an_outage(backend: Backend, raw: bytes) -> None:
    backend.raw = raw
    async with BackendClient(backend.url, KEY) as client:
        with pytest.raises(SessionUnavailableError, match="no session"):
            await client.open_session(BOOT, "test")


async def test_a_session_that_names_another_edge_is_not_taken_over(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, applied):
        await until(lambda: backend.reports, "the first session")
        backend.answer = msgspec.structs.replace(backend.answer, edge="edge_9")
        provisioning.refresh_soon()
        await until(lambda: len(backend.sessions) == 2, "the second session")
        await until(lambda: "names another edge" in capsys.readouterr().out, "the log line")
    assert len(applied.answers) == 1


async def test_no_secret_is_in_a_log_or_a_repr(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with provisioned(backend, tmp_path) as (provisioning, _):
        await until(lambda: backend.reports, "the first session")
        backend.status = 401
        provisioning.refresh_soon()
        await until(lambda: "refuses this edge's key" in capsys.readouterr().out, "the refusal")
        backend.stop()
        provisioning.refresh_soon()
    written = "".join(capsys.readouterr())
    for secret in (KEY, "thesecret", "the-redis-password"):
        assert secret not in written
        assert secret not in repr(backend.answer)
