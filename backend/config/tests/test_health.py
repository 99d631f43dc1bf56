"""/healthz and /readyz"""

from __future__ import annotations

import pytest
import redis
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.test import APIClient


def test_alive_needs_nothing() -> None:
    assert APIClient().get("/healthz").json() == {"status": "ok"}


def test_ready_when_everything_is_there(db: None, clean_redis: redis.Redis) -> None:
    answer = APIClient().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_a_redis_that_is_away_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "config.health.client", lambda: redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    )
    answer = APIClient().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "missing": {"redis": "not reachable (ConnectionError)"}}


def test_migrations_that_are_not_applied_are_named(db: None, clean_redis: redis.Redis) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)")
    answer = APIClient().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"postgresql": "1 migrations are not applied; run manage.py migrate"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_named(clean_redis: redis.Redis) -> None:
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(HOST="127.0.0.1", PORT="1")
    try:
        answer = APIClient().get("/readyz")
    finally:
        connection.close()
        connection.settings_dict.update(kept)
    assert answer.status_code == 503
    assert answer.json()["missing"]["postgresql"] == "not reachable (OperationalError)"
