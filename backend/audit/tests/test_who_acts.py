"""An event says who made the change, from where and for which request."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

import audit
from audit.models import AuditEvent
from sites.models import Site, SiteAccess
from testing.cast import Cast, ClientOf, edge_kit


@contextmanager
def acting(**context: Any) -> Iterator[None]:
    structlog.contextvars.clear_contextvars()
    with structlog.contextvars.bound_contextvars(**context):
        yield
    structlog.contextvars.clear_contextvars()


def rename(site: Site, name: str) -> AuditEvent:
    Site.objects.filter(pk=site.pk).update(name=name)
    event = AuditEvent.objects.first()
    assert event is not None
    assert event.after == {"name": name}
    return event


def test_a_change_in_the_admin_names_who_made_it(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.root)
    access: SiteAccess = cast.bob.site_accesses.get()
    url = f"/admin/sites/siteaccess/{access.pk}/delete/"
    assert client.post(url, {"post": "yes"}, headers={"X-Request-ID": "admin-1"}).status_code == 302
    event = AuditEvent.objects.get(action="site_access.deleted")
    assert (event.actor_id, event.actor_name, event.request_id) == (cast.root.pk, "root@example.com", "admin-1")
    assert event.address == "127.0.0.1"


def test_one_request_does_not_lend_its_name_to_the_next(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.alice).get("/api/sites")
    cast.bob.site_accesses.get().delete()
    event = AuditEvent.objects.get(action="site_access.deleted")
    assert (event.actor_id, event.request_id) == (None, "")


def test_a_request_without_a_caller_is_nobodys(cast: Cast) -> None:
    with acting(request_id="r-1", address="192.0.2.7"):
        event = rename(cast.own, "One")
    assert (event.actor_name, event.actor_id, event.request_id) == ("", None, "r-1")
    assert event.address == "192.0.2.7"


def test_an_edge_is_named_by_its_name_on_the_wire(cast: Cast) -> None:
    with acting(request_id="r-1", edge="edge_3"):
        assert rename(cast.own, "One").actor_name == "edge_3"


def test_what_edges_say_of_their_points_is_no_event_and_what_people_do_is(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    before = AuditEvent.objects.count()
    with acting(request_id="r-1", edge="edge_3"):
        kit.point.name = "By the edge"
        kit.point.save()
    assert AuditEvent.objects.count() == before
    with acting(request_id="r-2", user=cast.max.pk):
        kit.point.name = "By Max"
        kit.point.save()
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.target, event.actor_name) == (
        "point.changed",
        "grid_meter.active_power",
        "max@example.com",
    )


def test_somebody_at_the_database_itself_is_its_user(cast: Cast) -> None:
    event = rename(cast.own, "By hand")
    assert event.actor_name == f"database {connection.settings_dict['USER']}"


def test_a_rolled_back_savepoint_takes_nobody_back(cast: Cast) -> None:
    with acting(user=cast.alice.pk, request_id="r-1"):
        try:
            with transaction.atomic():
                rename(cast.own, "One")
                raise ArithmeticError
        except ArithmeticError:
            pass
        assert rename(cast.own, "Two").actor_name == "alice@example.com"
    with acting(user=cast.bob.pk, request_id="r-2"):
        assert rename(cast.own, "Three").actor_name == "bob@example.com"


@pytest.mark.django_db(transaction=True)
def test_on_a_connection_that_lives_on_every_write_has_its_own_actor(cast: Cast) -> None:
    """Autocommit, commit and rollback, one after the other on one connection."""
    with acting(user=cast.alice.pk, request_id="r-1"):
        assert rename(cast.own, "Autocommit").request_id == "r-1"
    with acting(user=cast.bob.pk, request_id="r-2"), transaction.atomic():
        assert rename(cast.own, "In a transaction").actor_id == cast.bob.pk
    assert rename(cast.own, "Nobody").actor_id is None
    with acting(user=cast.max.pk, request_id="r-3"):
        with transaction.atomic():
            assert rename(cast.own, "Rolled back").actor_id == cast.max.pk
            transaction.set_rollback(True)
        assert rename(cast.own, "After a rollback").actor_id == cast.max.pk
        with transaction.atomic():
            assert rename(cast.own, "Again").request_id == "r-3"
    connection.close()
    with acting(user=cast.olga.pk, request_id="r-4"):
        assert rename(cast.own, "On a new connection").actor_id == cast.olga.pk


def test_the_setting_costs_no_query_of_a_reader(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with acting(user=cast.alice.pk, request_id="r-1"):
        list(Site.objects.all())
        assert _told() == ""
        with django_assert_num_queries(1):
            Site.objects.filter(pk=cast.own.pk).update(name="One")
        assert "r-1" in _told()


def _told() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('ems.context', true), '')")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_command_is_named(cast: Cast) -> None:
    name = connection.settings_dict["NAME"]
    code = "from sites.models import Site; Site.objects.update(address='By a command')"
    url = os.environ["EMS_TEST_DATABASE_URL"].replace("/ems?", f"/{name}?")
    environment = {k: v for k, v in os.environ.items() if k != "EMS_TEST_DATABASE_URL"}
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "shell", "--no-imports", "-c", code]
    subprocess.run(command, env={**environment, "EMS_ENV": "development", "EMS_DATABASE_URL": url}, check=True)
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.actor_name, event.after) == ("command shell", {"address": "By a command"})


@pytest.mark.django_db(transaction=True)
def test_plain_sql_from_another_program_is_recorded_too(cast: Cast) -> None:
    params = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**params) as other:
        other.execute("UPDATE sites_site SET name = 'By psql' WHERE id = %s", (cast.own.pk,))
    event = AuditEvent.objects.first()
    assert event is not None
    assert event.actor_name.startswith("database ")
    assert event.after == {"name": "By psql"}


def test_what_is_no_change_of_a_row_is_recorded_by_hand(cast: Cast) -> None:
    with acting(user=cast.alice.pk, request_id="r-1", address="192.0.2.7"):
        audit.record("report.exported", organization_id=cast.alpha.pk, target="Report", rows=12)
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.actor_name, event.address) == ("report.exported", "alice@example.com", "192.0.2.7")
    assert event.details == {"rows": 12}


def test_text_that_a_database_cannot_hold_does_not_break_the_request(cast: Cast) -> None:
    audit.record("test.happened", target="a\x00b\ud800", words=["\x00"])
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.target, event.details) == ("ab?", {"words": [""]})
