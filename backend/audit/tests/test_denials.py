"""What was refused stays in the log, also when its request rolls back, and a flood of it does not fill the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

import audit
from audit import denials
from audit.models import AuditEvent, Flood
from audit.seal import close_floods
from testing.cast import Cast, ClientOf, edge_kit


@pytest.fixture
def own_connection(transactional_db: None, settings: Settings) -> Iterator[None]:
    settings.AUDIT_OWN_CONNECTION = True
    yield
    denials.close()


def test_a_denied_attempt_survives_the_rollback_of_its_request(own_connection: None) -> None:
    with transaction.atomic():
        audit.record("test.done")
        audit.denied("test.denied", target="something", why="because")
        transaction.set_rollback(True)
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.target) == ("test.denied", "denied", "something")
    assert event.details == {"why": "because"}


def test_a_broken_connection_is_opened_again(own_connection: None) -> None:
    audit.denied("test.denied")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ems denials'")
    audit.denied("test.denied")
    assert AuditEvent.objects.count() == 2


def test_denials_of_many_threads_are_all_there(own_connection: None) -> None:
    def deny(number: int) -> None:
        for _ in range(5):
            audit.denied("test.denied", actor_id=number, actor=f"user{number}@example.com", address=f"192.0.2.{number}")

    threads = [threading.Thread(target=deny, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert AuditEvent.objects.count() == 40


def test_a_database_that_is_away_leaves_the_refusal_as_it_is(
    own_connection: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    denials.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "no_such_database")
        audit.denied("test.denied")
    assert not AuditEvent.objects.exists()
    assert "a denied attempt is not in the audit log" in caplog.text


def test_a_flood_of_one_caller_is_counted_and_not_stored(db: None) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r", address="192.0.2.7"):
        for number in range(100):
            audit.denied("login.failed", actor=f"guess{number}@example.com")
        audit.denied("other.denied")
    with structlog.contextvars.bound_contextvars(request_id="r", address="192.0.2.8"):
        audit.denied("login.failed", actor="guess@example.com")
    assert AuditEvent.objects.filter(action="login.failed", address="192.0.2.7").count() == 60
    assert AuditEvent.objects.filter(address="192.0.2.8").count() == 1
    assert AuditEvent.objects.filter(action="other.denied").count() == 1


def test_changing_the_address_within_one_ipv6_network_gives_a_flood_no_more_room(db: None) -> None:
    for number in range(100):
        audit.denied("login.failed", actor="guess@example.com", address=f"2001:db8::{number:x}")
    audit.denied("login.failed", actor="guess@example.com", address="2001:db8:0:1::1")
    assert AuditEvent.objects.filter(action="login.failed").count() == 61


def test_when_the_minute_is_over_one_event_has_the_count(db: None) -> None:
    for _ in range(100):
        audit.denied("test.denied", address="192.0.2.7", code="wrong")
    close_floods()
    assert AuditEvent.objects.count() == 60
    Flood.objects.update(minute=timezone.now() - timedelta(minutes=5))
    close_floods()
    assert not Flood.objects.exists()
    summary = AuditEvent.objects.first()
    assert summary is not None
    assert AuditEvent.objects.count() == 61
    assert (summary.details["more"], summary.details["code"], summary.outcome) == (40, "wrong", "denied")


def test_a_minute_without_a_flood_ends_without_a_word(db: None) -> None:
    audit.denied("test.denied", address="192.0.2.7")
    Flood.objects.update(minute=timezone.now() - timedelta(minutes=5))
    close_floods()
    assert AuditEvent.objects.count() == 1
    assert not Flood.objects.exists()


def test_a_refused_request_tells_who_tried_what_where(cast: Cast, client_of: ClientOf) -> None:
    kit = edge_kit(cast.own)
    answer = client_of(cast.bob).delete(f"/api/edges/{kit.edge.pk}?secret=1")
    assert answer.status_code == 403
    event = AuditEvent.objects.get(outcome="denied")
    assert (event.action, event.target) == ("access.denied", f"DELETE /api/edges/{kit.edge.pk}")
    assert (event.actor_name, event.address) == ("bob@example.com", "127.0.0.1")
    assert (event.organization_id, event.site_id) == (cast.alpha.pk, cast.own.pk)
    assert event.request_id == answer["X-Request-ID"]


def test_a_refusal_about_an_organization_is_told_to_it(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.bob).patch(f"/api/organizations/{cast.alpha.pk}", {"name": "X"}, "json").status_code == 403
    event = AuditEvent.objects.get(outcome="denied")
    assert (event.organization_id, event.site_id) == (cast.alpha.pk, None)


def test_what_does_not_exist_for_the_caller_is_no_denial(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.charlie).get(f"/api/sites/{cast.own.pk}").status_code == 404
    assert not AuditEvent.objects.filter(outcome="denied").exists()
