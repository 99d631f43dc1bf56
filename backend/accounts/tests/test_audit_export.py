"""GET /api/audit/export: the log as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

import audit
from accounts.audit_files import as_csv
from accounts.audit_pages import walk
from audit.models import AuditEvent
from testing.cast import Cast, ClientOf

URL = "/api/audit/export"


def exported(client: APIClient, **query: Any) -> tuple[Any, str]:
    answer: Any = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return answer, b"".join(answer.streaming_content).decode()


def test_csv_has_a_line_for_every_event_that_the_caller_sees(cast: Cast, client_of: ClientOf) -> None:
    answer, text = exported(client_of(cast.alice))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == AuditEvent.objects.filter(organization_id=cast.alpha.pk).count()
    assert {row["organization"] for row in rows} == {str(cast.alpha.pk)}
    created = next(row for row in rows if row["action"] == "site.created")
    assert json.loads(created["after"])["timezone"] == "Europe/Berlin"


def test_ndjson_has_the_events_of_the_list(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    listed = client.get("/api/audit", {"action": "site_access"}).json()["results"]
    answer, text = exported(client, format="ndjson", action="site_access")
    assert answer["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in text.splitlines()] == listed


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '=HYPERLINK("http://x","y")', "＝1"]
)
def test_no_cell_is_a_formula(cast: Cast, client_of: ClientOf, evil: str) -> None:
    audit.record("test.happened", organization_id=cast.alpha.pk, target=evil, actor_id=cast.bob.pk, actor=evil)
    _, text = exported(client_of(cast.alice), action="test")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    for column in ("target", "actor"):
        assert row[column] == f"'{evil}"


def test_quotes_and_lines_in_a_name_make_no_new_cell(cast: Cast, client_of: ClientOf) -> None:
    name = 'a","=1+1","b\r\nc'
    audit.record("test.happened", organization_id=cast.alpha.pk, target=name)
    _, text = exported(client_of(cast.alice), action="test")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["target"] == name


def test_a_long_log_is_streamed_page_by_page(cast: Cast, client_of: ClientOf) -> None:
    for number in range(30):
        audit.record("test.happened", organization_id=cast.alpha.pk, target=str(number))
    events = AuditEvent.objects.filter(action="test.happened")
    assert [event.target for event in walk(events, size=7)] == [str(number) for number in range(29, -1, -1)]
    assert [event.target for event in walk(events, size=10)] == [str(number) for number in range(29, -1, -1)]


def test_taking_the_log_is_an_event_itself(cast: Cast, client_of: ClientOf) -> None:
    exported(client_of(cast.alice), action="site")
    event = AuditEvent.objects.get(action="audit.exported")
    assert (event.actor_name, event.organization_id) == ("alice@example.com", cast.alpha.pk)
    assert event.details == {"asked_action": "site"}


def test_an_address_that_was_asked_for_is_a_person_s_in_that_event_too(cast: Cast, client_of: ClientOf) -> None:
    exported(client_of(cast.alice), actor="bob@example.com")
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.details == {}
    assert event.told("details") == {"asked_actor": "bob@example.com"}


def test_an_unknown_format_or_filter_is_named(cast: Cast, client_of: ClientOf) -> None:
    for query, field in (({"format": "xlsx"}, "format"), ({"organisation": 1}, "organisation"), ({"to": "x"}, "to")):
        answer = client_of(cast.alice).get(URL, query)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_empty_log_has_its_names() -> None:
    assert "".join(as_csv(["id", "at"], [])) == "id,at\r\n"
