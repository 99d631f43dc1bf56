"""`manage.py historian` as an operator runs it: a process that is killed, stopped and asked how it is."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from django.conf import settings
from django.db import connections
from psycopg import Connection

from ems_contract import keys
from sites.models import Edge, Point, Site
from telemetry import database, store, streams
from telemetry.historian import now_ms
from telemetry.rollups import MINUTE
from telemetry.samples import HOUR
from telemetry.tests.conftest import clear
from telemetry.tests.ledger import Ledger, count, reading, stored
from telemetry.tests.player import Player, eventually, free_port
from testing.cast import make_cast

BACKEND = Path(__file__).parents[2]


class Process:
    def __init__(self) -> None:
        self.port = free_port()
        url = urlsplit(os.environ["EMS_TEST_DATABASE_URL"])
        name = connections[settings.HISTORY_ALIAS].settings_dict["NAME"]
        self._environment = {
            **os.environ,
            "EMS_TEST_DATABASE_URL": url._replace(path=f"/{name}").geturl(),
            "EMS_HISTORIAN_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error::ResourceWarning", "manage.py", "historian"],
            cwd=BACKEND,
            env=self._environment,
            stderr=subprocess.PIPE,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def terminate(self) -> tuple[int, str]:
        """Exit code and log."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=15)
        code = self.process.returncode
        self.process = None
        return code, log.decode()

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)
        except httpx.HTTPError:
            return None

    def is_ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.status_code == 200


@pytest.fixture
def historian(transactional_db: None, clean_redis: redis.Redis) -> Iterator[Process]:
    one = Process()
    yield one
    one.kill()


@pytest.fixture
def history(transactional_db: None) -> Iterator[Connection[Any]]:
    with store.connect(database.parameters()) as opened:
        clear(opened)
        yield opened


@pytest.fixture
def client(clean_redis: redis.Redis) -> Iterator[redis.Redis]:
    with streams.connect(settings.REDIS_URL) as opened:
        yield opened


@pytest.fixture
def edge(transactional_db: None) -> Edge:
    cast = make_cast()
    return Edge.objects.create(site=cast.own, name="Edge")


def player(client: redis.Redis, edge: Edge, lane: keys.Lane = "stream") -> Player:
    return Player(client, Ledger(site=edge.site_id, edge=edge.pk), lane)


def test_killed_at_random_it_loses_and_doubles_nothing(
    historian: Process, history: Connection[Any], client: redis.Redis, edge: Edge
) -> None:
    """Live and late batches flow while the process is killed again and again."""
    live, late = player(client, edge), player(client, edge, "backfill")
    late.ledger.samples = live.ledger.samples
    dice = random.Random(7)  # noqa: S311  no secret
    done = threading.Event()
    start = now_ms()

    def play() -> None:
        n = 0
        while not done.is_set():
            live.send(reading(start + n, {"meter.power": float(n), "meter.reads": float(n)}))
            # However long this takes, late stays late: a time in the future would rightly be set aside.
            then = start - 9 * HOUR + n % 2_000 * MINUTE // 4
            late.send(*(reading(then + i, {"meter.power": float(i)}) for i in range(5)))
            n += 1
            done.wait(0.005)

    playing = threading.Thread(target=play)
    playing.start()
    with contextlib.ExitStack() as stack:
        stack.callback(playing.join)
        stack.callback(done.set)
        for _ in range(5):
            before = count(history, "batch") + count(history, "segment")
            historian.start()
            eventually(lambda before=before: count(history, "batch") + count(history, "segment") > before, "it works")  # type: ignore[misc]
            time.sleep(dice.uniform(0, 0.4))
            historian.kill()
    historian.start()
    live.settle()
    late.settle()
    eventually(lambda: client.xlen(live.stream) == client.xlen(late.stream) == 0, "the streams are empty")
    assert stored(history, edge.site_id) == live.ledger.samples
    done_ranges = history.execute("SELECT boot::text, done::text FROM receipt").fetchall()
    assert dict(done_ranges) == {one.ledger.boot: f"{{[1,{one.ledger.seq + 1})}}" for one in (live, late)}
    code, _ = historian.terminate()
    assert code == 0
    assert stored(history, edge.site_id) == live.ledger.samples


def test_it_says_how_it_is_and_stops_when_told(
    historian: Process, history: Connection[Any], client: redis.Redis, edge: Edge
) -> None:
    historian.start()
    eventually(historian.is_ready, "the historian is ready")
    one = player(client, edge)
    one.send(reading(now_ms(), {"meter.power": 1.0}))
    one.settle()
    health, ready = historian.get("/healthz"), historian.get("/readyz")
    assert health is not None
    assert ready is not None
    assert health.json() == {"status": "ok"}
    assert ready.json()["status"] == "ready"
    assert ready.json()["counters"]["batches"] == 1
    elsewhere = historian.get("/")
    assert elsewhere is not None
    assert elsewhere.status_code == 404
    code, log = historian.terminate()
    assert code == 0
    assert '"event":"stopped"' in log
    assert all(line.startswith("{") for line in log.splitlines()), log


def test_redis_away_is_said_with_503(historian: Process, edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_TEST_REDIS_URL", f"redis://someone:secret-word@127.0.0.1:{free_port()}/0")
    other = Process()
    other.start()
    try:
        eventually(lambda: other.get("/readyz") is not None, "it answers")
        eventually(lambda: "redis" in other.get("/readyz").json().get("missing", {}), "it says so")  # type: ignore[union-attr]
        answer = other.get("/readyz")
        assert answer is not None
        assert answer.status_code == 503
        _, log = other.terminate()
        assert "secret-word" not in log + answer.text
    finally:
        other.kill()


def test_an_unknown_key_becomes_an_unadopted_point_of_the_site(
    historian: Process, history: Connection[Any], client: redis.Redis, edge: Edge
) -> None:
    historian.start()
    one = player(client, edge)
    one.send(reading(now_ms(), {"meter.surprise": 1.0}))
    found = Point.objects.filter(site=edge.site, key="meter.surprise")
    eventually(found.exists, "the point is there")
    assert not found.get().adopted


def test_what_is_said_about_a_point_reaches_the_view(history: Connection[Any], edge: Edge) -> None:
    from telemetry import points

    with store.cursor(history) as cursor:
        store.add_points(cursor, [(edge.site_id, "meter.power"), (edge.site_id, "meter.new")])
    site = Site.objects.get(pk=edge.site_id)
    Point.objects.create(site=site, key="meter.power", name="Power", unit="W", kind="gauge", adopted=True)
    for _ in range(2):
        points.reconcile(history, [site.pk])
        rows = history.execute("SELECT key, unit, kind FROM point ORDER BY key").fetchall()
        assert rows == [("meter.new", None, None), ("meter.power", "W", "gauge")]
    assert list(Point.objects.filter(site=site, adopted=False).values_list("key", flat=True)) == ["meter.new"]


@pytest.mark.parametrize(("name", "value"), [("EMS_HISTORIAN_PORT", "http"), ("EMS_RETENTION_DAYS", "0")])
def test_a_bad_variable_is_named(historian: Process, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    answer = subprocess.run(
        [sys.executable, "manage.py", "historian"], cwd=BACKEND, capture_output=True, text=True, timeout=30, check=False
    )
    assert answer.returncode == 1
    assert name in answer.stderr
