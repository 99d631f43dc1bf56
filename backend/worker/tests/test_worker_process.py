"""`manage.py worker` as an operator runs it: stopped, killed, doubled, and with Redis away. Nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from django.db import connection

from accounts.models import AccessChange, Membership, User
from ems_contract import keys
from ems_contract.access import AccessEvent
from sites.models import SiteAccess
from telemetry.streams import connect
from telemetry.tests.player import RedisProcess, eventually, free_port, own_redis
from testing.cast import Cast, make_cast

BACKEND = Path(__file__).parents[2]


class Worker:
    def __init__(self, redis_url: str) -> None:
        self.port = free_port()
        url = urlsplit(os.environ["EMS_TEST_DATABASE_URL"])
        name = connection.settings_dict["NAME"]
        self._environment = {
            **os.environ,
            "EMS_TEST_DATABASE_URL": url._replace(path=f"/{name}").geturl(),
            "EMS_TEST_REDIS_URL": redis_url,
            "EMS_WORKER_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error::ResourceWarning", "manage.py", "worker"],
            cwd=BACKEND,
            env=self._environment,
            stderr=subprocess.PIPE,
        )
        try:
            eventually(self.is_ready, "the worker is ready")
        except AssertionError as error:
            answer = self.readiness()
            raise AssertionError(f"{error}; it says {answer.text if answer else 'nothing'}") from None

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
        code, self.process = self.process.returncode, None
        return code, log.decode()

    def readiness(self) -> httpx.Response | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
        except httpx.HTTPError:
            return None

    def is_ready(self) -> bool:
        answer = self.readiness()
        return answer is not None and answer.status_code == 200


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RedisProcess]:
    with own_redis(tmp_path) as process:
        yield process


@pytest.fixture
def worker(transactional_db: None, store: RedisProcess) -> Iterator[Worker]:
    one = Worker(store.url)
    yield one
    one.kill()


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Its making is told already: what a test sees is its own doing."""
    made = make_cast()
    AccessChange.objects.all().delete()
    return made


def everything_told() -> bool:
    return not AccessChange.objects.exists()


def test_it_stops_cleanly(worker: Worker) -> None:
    worker.start()
    began = time.monotonic()
    code, log = worker.terminate()
    assert code == 0
    assert '"stopped"' in log
    assert "Warning" not in log
    assert time.monotonic() - began < 5


def test_a_change_is_told_within_milliseconds(worker: Worker, store: RedisProcess, cast: Cast) -> None:
    worker.start()
    waits = []
    with connect(store.url) as client, client.pubsub() as heard:
        heard.subscribe(keys.permission_changed_channel(cast.bob.pk))
        heard.get_message(timeout=2)
        for number in range(20):
            User.objects.filter(pk=cast.bob.pk).update(name=f"Bob {number}")
            committed = time.monotonic()
            while heard.get_message(timeout=2) is None:
                pass
            waits.append(time.monotonic() - committed)
    waits.sort()
    assert waits[10] < 0.25


def test_killed_at_random_it_loses_nothing(worker: Worker, store: RedisProcess, cast: Cast) -> None:
    """Each change raises the epoch at least once after its commit, however often the worker is killed."""
    with connect(store.url) as client:
        for number in range(4):
            worker.start()
            User.objects.update(name=f"Name {number}")
            if number % 2:
                eventually(everything_told, "the outbox is empty")
            worker.kill()
            before = {user: client.get(keys.user_epoch(user)) for user in User.objects.values_list("pk", flat=True)}
            User.objects.update(name=f"While away {number}")
            worker.start()
            eventually(everything_told, "the outbox is empty")
            for user, epoch in before.items():
                assert int(client.get(keys.user_epoch(user)) or 0) > int(epoch or 0)
            worker.kill()


def test_while_redis_is_away_it_says_so_and_then_tells_everything(
    worker: Worker, store: RedisProcess, cast: Cast
) -> None:
    worker.start()
    store.kill()
    cast.bob.site_accesses.get().delete()
    Membership.objects.filter(user=cast.olga).update(role="org_admin")
    eventually(lambda: not worker.is_ready(), "it is not ready")
    answer = worker.readiness()
    assert answer is not None
    assert "failing since" in answer.json()["missing"]["access changes"]
    assert {cast.bob.pk, cast.olga.pk} == set(AccessChange.objects.values_list("user_id", flat=True))
    store.start()
    eventually(everything_told, "the outbox is empty")
    eventually(worker.is_ready, "it is ready again")
    with connect(store.url) as client:
        assert client.exists(keys.user_epoch(cast.bob.pk), keys.user_epoch(cast.olga.pk)) == 2


def test_two_side_by_side_tell_each_change_once(worker: Worker, store: RedisProcess, cast: Cast) -> None:
    other = Worker(store.url)
    worker.start()
    other.start()
    try:
        with connect(store.url) as client, client.pubsub() as heard:
            heard.psubscribe(keys.USERS_PATTERN)
            heard.get_message(timeout=2)
            for role in ("operator", "viewer", "operator"):
                SiteAccess.objects.filter(user=cast.bob).update(role=role)
                eventually(everything_told, "the outbox is empty")
            events = []
            while message := heard.get_message(timeout=0.3):
                events.append(msgspec.json.decode(message["data"], type=AccessEvent))
        assert [event.user for event in events] == [cast.bob.pk] * 3
        assert [event.epoch - events[0].epoch for event in events] == [0, 1, 2]
    finally:
        other.kill()


def test_a_port_that_is_taken_is_named(worker: Worker) -> None:
    worker.start()
    second = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        cwd=BACKEND,
        env={**os.environ, "EMS_WORKER_PORT": str(worker.port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode != 0
    assert "EMS_WORKER_PORT" in second.stderr
