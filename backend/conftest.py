"""Fixtures for every test of the backend: real PostgreSQL, real Redis, and the cast.

`EMS_TEST_DATABASE_URL` and `EMS_TEST_REDIS_URL` say where they are; `python -m ems_stack services -- pytest ...`
starts throw-away ones and sets both.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest
import redis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from config.redis import client as redis_client
from testing.mail_server import MailServer, smtp_at

if TYPE_CHECKING:  # models load after Django does, which is after this file
    from pytest_django import DjangoDbBlocker, Settings

    from testing.cast import Cast, ClientOf

# How fast examples are made says something about the machine only.
hypothesis.settings.register_profile(
    "busy_machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy_machine")

_NEEDED = ("EMS_TEST_DATABASE_URL", "EMS_TEST_REDIS_URL")


@pytest.fixture(scope="session")
def _services() -> None:
    missing = [name for name in _NEEDED if not os.environ.get(name)]
    if missing:
        pytest.fail(f"{' and '.join(missing)} not set: run `python -m ems_stack services -- pytest ...`", pytrace=False)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(_services: None) -> None:
    """pytest-django asks for this before it makes the test database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit end with a TRUNCATE of every table, which the audit log refuses; here it may."""
    from django.db import connection

    guarded = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit_no_truncate'"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(guarded)
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate")


@pytest.fixture
def clean_redis(_services: None) -> Iterator[redis.Redis]:
    """An empty Redis; the edges' users that a test made are gone after it."""
    connection = redis_client()
    connection.flushdb()
    yield connection
    for name in map(str, connection.acl_users()):
        if name.startswith("edge_"):
            connection.acl_deluser(name)


@pytest.fixture
def held_connection() -> Iterator[None]:
    """For requests through the WSGI handler itself: as Django's test client, it leaves the test's connection open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def cast(db: None, clean_redis: redis.Redis) -> Cast:
    """Alice owns, Bob is on the team, Charlie is an outsider; see `testing.cast`."""
    from testing.cast import make_cast

    return make_cast()


@pytest.fixture
def client_of() -> ClientOf:
    """`client_of(user)` is an API client that sends that user's access token; `client_of()` sends none."""
    from testing.cast import api_client

    return api_client


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A real one, to which this process's e-mails go; `received` has what it took, `refused` whom it does not know."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.MAILERS = smtp_at(server.server_address[1])
        yield server
        server.shutdown()
