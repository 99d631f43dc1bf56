"""GET /api/organizations/{id}/export"""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from testing.cast import Cast, ClientOf, edge_kit


def export(client: APIClient, organization: int) -> Any:
    answer: Any = client.get(f"/api/organizations/{organization}/export")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_it_is_one_document_of_everything_that_belongs_to_the_organization(cast: Cast, client_of: ClientOf) -> None:
    kit = edge_kit(cast.own)
    document = json.loads(export(client_of(cast.alice), cast.alpha.pk))
    assert document["organization"]["name"] == "Alpha"
    assert {row["email"] for row in document["people"]} == {
        f"{name}@example.com" for name in ("alice", "bob", "olga", "max")
    }
    assert {row["name"] for row in document["sites"]} == {"Own", "Other"}
    assert [row["key"] for row in document["devices"]] == ["grid_meter"]
    assert [row["id"] for row in document["points"]] == [kit.point.pk]
    assert [row["id"] for row in document["edges"]] == [kit.edge.pk]
    assert {row["role"] for row in document["site_accesses"]} == {"viewer", "operator", "site_manager"}
    assert document["assets"]
    assert document["invitations"] == document["access_tokens"] == []


def test_nothing_of_another_organization_and_no_secret_is_in_it(cast: Cast, client_of: ClientOf) -> None:
    kit, foreign = edge_kit(cast.own), edge_kit(cast.foreign)
    kit.device.connection = {"host": "10.0.0.5", "username": "meter", "password": "hunter2", "api_token": "abc"}
    kit.device.save()
    text = export(client_of(cast.alice), cast.alpha.pk)
    for secret in (kit.text, kit.key.secret_hash, cast.alice.password, "hunter2", "abc", '"password"'):
        assert secret not in text
    document = json.loads(text)
    assert document["devices"][0]["connection"] == {"host": "10.0.0.5"}
    assert foreign.point.pk not in {row["id"] for row in document["points"]}
    assert "Beta" not in text
    assert "charlie" not in text


def test_it_is_a_file_with_a_harmless_name_and_is_not_kept_by_caches(cast: Cast, client_of: ClientOf) -> None:
    cast.alpha.name = 'a"; filename="x.html'
    cast.alpha.save()
    answer: Any = client_of(cast.alice).get(f"/api/organizations/{cast.alpha.pk}/export")
    assert answer["Content-Disposition"] == f'attachment; filename="organization-{cast.alpha.pk}.json"'
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    assert json.loads(b"".join(answer.streaming_content))["organization"]["name"] == cast.alpha.name


@pytest.mark.django_db(transaction=True)
def test_it_shows_one_moment_however_slowly_it_is_read(cast: Cast, client_of: ClientOf) -> None:
    answer: Any = client_of(cast.alice).get(f"/api/organizations/{cast.alpha.pk}/export")
    assert {row["name"] for row in json.loads(b"".join(answer.streaming_content))["sites"]} == {"Own", "Other"}


@pytest.mark.django_db(transaction=True)
def test_its_moment_begins_whoever_used_the_connection_before(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    with structlog.contextvars.bound_contextvars(user=cast.bob.pk):
        User.objects.filter(pk=cast.bob.pk).update(name="Robert")  # leaves on the connection who acted
    assert "Robert" in export(client, cast.alpha.pk)


def test_it_is_audited(cast: Cast, client_of: ClientOf) -> None:
    export(client_of(cast.alice), cast.alpha.pk)
    event = AuditEvent.objects.get(action="organization.exported")
    assert (event.organization_id, event.actor_id) == (cast.alpha.pk, cast.alice.pk)


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 403), ("max", 403), ("charlie", 404), ("dev", 404), ("root", 200)]
)
def test_org_admins_and_platform_admins_get_it(cast: Cast, client_of: ClientOf, name: str, status: int) -> None:
    answer = client_of(cast.everyone()[name]).get(f"/api/organizations/{cast.alpha.pk}/export")
    assert answer.status_code == status
    answer.close()
