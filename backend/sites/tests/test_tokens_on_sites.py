"""Integrators' access tokens on sites: what their scopes and their user's role both allow, and no credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import access_tokens
from accounts.models import AccessToken, User
from config.secret_hash import hash_secret
from ems_contract.tokens import format_access_token
from sites.tests.asking import code, fields, send
from testing.cast import Cast, EdgeKit, edge_kit


def token_client(user: User, **fields_: Any) -> APIClient:
    parts = access_tokens.generate(user.pk)
    AccessToken.objects.create(
        user=user,
        name="t",
        prefix=parts.prefix,
        secret_hash=hash_secret(parts.secret),
        expires=timezone.now() + timedelta(days=1),
        **fields_,
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {format_access_token(parts)}")
    return client


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


def test_a_reading_token_reads_and_changes_nothing(cast: Cast, kit: EdgeKit) -> None:
    client = token_client(cast.alice, scopes=["read"])
    assert client.get("/api/points").json()["count"] == 1
    assert client.get(f"/api/devices/{kit.device.pk}").json()["connection"] is None
    for method, url, body in (
        ("PATCH", f"/api/points/{kit.point.pk}", {"name": "x"}),
        ("POST", "/api/assets", {"site": cast.own.pk, "kind": "meter", "name": "x"}),
        ("PATCH", f"/api/sites/{cast.own.pk}", {"name": "x"}),
        ("DELETE", f"/api/sites/{cast.own.pk}", None),
        ("GET", f"/api/sites/{cast.own.pk}/access", None),
        ("GET", "/api/site-access", None),
    ):
        assert code(send(client, method, url, body)) == (403, "permission_denied")


def test_a_managing_token_manages_devices_but_no_people_no_keys_and_no_sites(cast: Cast, kit: EdgeKit) -> None:
    client = token_client(cast.alice, scopes=["manage"])
    assert send(client, "PATCH", f"/api/devices/{kit.device.pk}", {"name": "Meter 2"}).status_code == 200
    site = {"organization": cast.alpha.pk, "name": "n", "timezone": "UTC", "latitude": 0, "longitude": 0}
    for method, url, body in (
        ("GET", f"/api/edges/{kit.edge.pk}/keys", None),
        ("POST", f"/api/edges/{kit.edge.pk}/keys", None),
        ("GET", f"/api/edge-keys/{kit.key.pk}", None),
        ("DELETE", f"/api/edge-keys/{kit.key.pk}", None),
        ("GET", f"/api/sites/{cast.own.pk}/access", None),
        ("POST", "/api/site-access", {"site": cast.own.pk, "email": cast.bob.email, "role": "viewer"}),
        ("POST", "/api/sites", site),
        ("DELETE", f"/api/sites/{cast.own.pk}", None),
    ):
        assert code(send(client, method, url, body)) == (403, "permission_denied"), (method, url)


def test_a_managing_token_of_a_viewer_manages_nothing(cast: Cast, kit: EdgeKit) -> None:
    client = token_client(cast.bob, scopes=["manage"])
    assert code(send(client, "PATCH", f"/api/devices/{kit.device.pk}", {"name": "x"})) == (403, "permission_denied")


def test_a_token_for_one_site_knows_no_other(cast: Cast) -> None:
    edge_kit(cast.other)
    client = token_client(cast.alice, scopes=["manage"], sites=[cast.own.pk])
    assert client.get("/api/points").json()["count"] == 0
    assert code(client.get(f"/api/sites/{cast.other.pk}")) == (404, "not_found")
    body = {"site": cast.other.pk, "kind": "meter", "name": "x"}
    assert fields(send(client, "POST", "/api/assets", body)) == ["site"]


def test_a_platform_admins_token_has_no_platform_rights(cast: Cast) -> None:
    client = token_client(cast.root, scopes=["manage"])
    assert client.get("/api/sites").json()["count"] == 0
    assert code(client.get(f"/api/sites/{cast.own.pk}")) == (404, "not_found")
