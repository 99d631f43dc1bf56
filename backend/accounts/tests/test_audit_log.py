"""GET /api/audit: who reads which events, found and turned over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

import audit
from accounts.audit_pages import Place
from accounts.models import Membership
from audit.models import AuditEvent
from testing.cast import Cast, ClientOf

URL = "/api/audit"


@pytest.fixture(autouse=True)
def no_context() -> Iterator[None]:
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()


def asked(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.json()
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_an_org_admin_sees_the_events_of_their_organization_only(cast: Cast, client_of: ClientOf) -> None:
    audit.record("platform.happened")
    events = asked(client_of(cast.alice), page_size=500)
    assert events
    assert {event["organization"] for event in events} == {cast.alpha.pk}


def test_a_platform_admin_sees_all(cast: Cast, client_of: ClientOf) -> None:
    audit.record("platform.happened")
    organizations = {event["organization"] for event in asked(client_of(cast.root), page_size=500)}
    assert organizations >= {None, cast.alpha.pk, cast.beta.pk}


@pytest.mark.parametrize("name", ["bob", "olga", "max", "dev"])
def test_nobody_else_sees_any(cast: Cast, client_of: ClientOf, name: str) -> None:
    assert client_of(cast.everyone()[name]).get(URL).status_code == 403
    assert client_of(cast.everyone()[name]).get(f"{URL}/export").status_code == 403


def test_a_member_elsewhere_sees_nothing_of_that_organization(cast: Cast, client_of: ClientOf) -> None:
    Membership.objects.create(user=cast.alice, organization=cast.beta)
    assert {event["organization"] for event in asked(client_of(cast.alice), page_size=500)} == {cast.alpha.pk}


def test_a_foreign_organization_answers_as_one_that_does_not_exist(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    foreign, nowhere = (client.get(URL, {"organization": pk}).json() for pk in (cast.beta.pk, 999_999_999))
    assert foreign == nowhere == {"count": 0, "next": None, "previous": None, "results": []}


def test_an_event_is_told_as_a_whole(cast: Cast, client_of: ClientOf) -> None:
    access = cast.bob.site_accesses.get()
    answer = client_of(cast.alice).patch(f"/api/site-access/{access.pk}", {"role": "operator"}, format="json")
    assert answer.status_code == 200
    event = asked(client_of(cast.alice))[0]
    assert {**event, "id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "action": "site_access.changed",
        "outcome": "done",
        "actor": "alice@example.com",
        "actor_id": cast.alice.pk,
        "organization": cast.alpha.pk,
        "site": cast.own.pk,
        "target": "bob@example.com",
        "target_id": access.pk,
        "address": "127.0.0.1",
        "request_id": answer["X-Request-ID"],
        "before": {"role": "viewer"},
        "after": {"role": "operator"},
        "details": {},
    }


def test_what_was_denied_is_there_for_the_organization(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.bob).patch(f"/api/sites/{cast.own.pk}", {"name": "Mine"}, format="json")
    (event,) = asked(client_of(cast.alice), outcome="denied")
    assert (event["actor"], event["target"]) == ("bob@example.com", f"PATCH /api/sites/{cast.own.pk}")


def test_each_filter_narrows(cast: Cast, client_of: ClientOf) -> None:
    audit.record("report.made", organization_id=cast.alpha.pk, site_id=cast.own.pk, actor_id=cast.bob.pk, target="Q3")
    audit.record("report.sent", organization_id=cast.alpha.pk, actor="edge_3", target="carl@example.com", target_id=77)
    client = client_of(cast.alice)
    now = timezone.now()
    for query, expected in (
        ({"action": "report"}, 2),
        ({"action": "report.made"}, 1),
        ({"action": "repo"}, 0),
        ({"action": "report", "site": cast.own.pk}, 1),
        ({"actor": cast.bob.pk}, 1),
        ({"actor": "bob@example.com"}, 1),
        ({"actor": "BOB@example.com"}, 1),
        ({"actor": "edge_3"}, 1),
        ({"target": "Q3"}, 1),
        ({"target": "carl@example.com"}, 1),
        ({"target_id": 77}, 1),
        ({"search": "carl@"}, 1),
        ({"search": "bob", "action": "report"}, 1),
        ({"search": "EPORT.S"}, 1),
        ({"outcome": "denied"}, 0),
        ({"action": "report", "from": (now - timedelta(hours=1)).isoformat()}, 2),
        ({"action": "report", "to": (now - timedelta(hours=1)).isoformat()}, 0),
        ({"from": (now + timedelta(hours=1)).isoformat()}, 0),
    ):
        assert len(asked(client, **query)) == expected, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"organization": "alpha"}, "organization"),
        ({"site": 10**30}, "site"),
        ({"outcome": "maybe"}, "outcome"),
        ({"search": "a\x00"}, "search"),
        ({"organisation": 1}, "organisation"),
        ({"ordering": "organization__name"}, "ordering"),
    ],
)
def test_a_filter_that_is_none_is_named(cast: Cast, client_of: ClientOf, query: dict[str, Any], field: str) -> None:
    answer = client_of(cast.alice).get(URL, query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def fill(organization: int, number: int) -> None:
    """All at the same few moments, as in bulk: the id decides among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditevent (at, action, outcome, actor, organization_id, target, request_id, details, "
            "persons) SELECT now() + make_interval(mins => n / 7), 'test.happened', 'done', '', %s, n, '', '{}', '{}' "
            "FROM generate_series(1, %s) n",
            [organization, number],
        )


def test_pages_have_every_event_once_there_and_back(cast: Cast, client_of: ClientOf) -> None:
    fill(cast.alpha.pk, 25)
    client = client_of(cast.alice)
    page = client.get(URL, {"action": "test", "page_size": "10"}).json()
    assert (page["count"], page["previous"]) == (25, None)
    there = [page]
    while page["next"]:
        assert page["next"].startswith("/api/audit?")
        page = client.get(page["next"]).json()
        there.append(page)
    assert [len(page["results"]) for page in there] == [10, 10, 5]
    targets = [int(event["target"]) for page in there for event in page["results"]]
    assert targets == list(range(25, 0, -1))
    back = [page]
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back.append(page)
    assert [page["results"] for page in back] == [page["results"] for page in reversed(there)]


def test_events_that_come_meanwhile_move_no_page(cast: Cast, client_of: ClientOf) -> None:
    fill(cast.alpha.pk, 12)
    client = client_of(cast.alice)
    first = client.get(URL, {"action": "test", "page_size": "10"}).json()
    audit.record("test.happened", organization_id=cast.alpha.pk)
    assert [event["target"] for event in client.get(first["next"]).json()["results"]][:2] == ["2", "1"]


@pytest.mark.parametrize("page", ["2", "older-1-x", "older-99999999999999999-1", "sideways-1-1"])
def test_a_page_that_is_no_place_in_the_log_does_not_exist(cast: Cast, client_of: ClientOf, page: str) -> None:
    assert client_of(cast.alice).get(URL, {"page": page}).status_code == 404


def test_the_count_stops_at_ten_thousand(cast: Cast, client_of: ClientOf) -> None:
    fill(cast.alpha.pk, 10_050)
    assert client_of(cast.alice).get(URL, {"action": "test"}).json()["count"] == 10_000


def test_a_page_reads_no_more_than_it_shows(cast: Cast, client_of: ClientOf) -> None:
    """Deep in the log too: the place is found in an index that also has the order."""
    fill(cast.alpha.pk, 5_000)
    middle = AuditEvent.objects.get(target="2500")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
    with CaptureQueriesContext(connection) as captured:
        page = Place(middle.at, middle.pk).page(AuditEvent.objects.filter(organization_id=cast.alpha.pk), 100)
    assert [event.target for event in page][:2] == ["2499", "2498"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured.captured_queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan Backward" in plan
    assert "Sort" not in plan


def test_markup_and_formulas_are_plain_json(cast: Cast, client_of: ClientOf) -> None:
    audit.record("test.happened", organization_id=cast.alpha.pk, target="<script>alert(1)</script>")
    answer = client_of(cast.alice).get(URL)
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["results"][0]["target"] == "<script>alert(1)</script>"
