"""GET /api/auth/sessions and DELETE /api/auth/sessions/{id}"""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.test import APIClient

from accounts.models import AccessChange
from testing.cast import Cast, ClientOf

URL = "/api/auth/sessions"


def login(cast: Cast, address: str, agent: str) -> APIClient:
    client = APIClient(REMOTE_ADDR=address, HTTP_USER_AGENT=agent)
    body = {"email": "alice@example.com", "password": cast.password}
    access = client.post("/api/auth/login", body, format="json").json()["access"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def sessions(client: APIClient) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = client.get(URL).json()["results"]
    return results


def test_it_lists_where_i_am_logged_in_and_which_one_this_is(cast: Cast) -> None:
    phone, desk = login(cast, "198.51.100.7", "Phone"), login(cast, "203.0.113.9", "Desk")
    listed = sessions(phone)
    assert [(one["address"], one["user_agent"], one["current"]) for one in listed] == [
        ("203.0.113.9", "Desk", False),
        ("198.51.100.7", "Phone", True),
    ]
    assert set(listed[0]) == {"id", "created", "last_used", "address", "user_agent", "current"}
    assert [one["current"] for one in sessions(desk)] == [True, False]


def test_a_renewal_moves_the_session_to_where_it_is_used(cast: Cast) -> None:
    phone = login(cast, "198.51.100.7", "Phone")
    (before,) = sessions(phone)
    phone.post("/api/auth/refresh", REMOTE_ADDR="203.0.113.9")
    (after,) = sessions(phone)
    assert (after["address"], after["id"]) == ("203.0.113.9", before["id"])
    assert after["last_used"] > before["last_used"]


def test_ending_one_refuses_its_tokens_and_tells_its_sockets(cast: Cast) -> None:
    phone, desk = login(cast, "198.51.100.7", "Phone"), login(cast, "203.0.113.9", "Desk")
    (other,) = [one["id"] for one in sessions(phone) if not one["current"]]
    AccessChange.objects.all().delete()
    assert phone.delete(f"{URL}/{other}").status_code == 204
    assert desk.get("/api/auth/me").status_code == 401
    assert desk.post("/api/auth/refresh").status_code == 401
    assert phone.get("/api/auth/me").status_code == 200
    assert AccessChange.objects.get().user_id == cast.alice.pk
    assert [one["current"] for one in sessions(phone)] == [True]


def test_one_s_own_can_be_ended_too(cast: Cast) -> None:
    phone = login(cast, "198.51.100.7", "Phone")
    assert phone.delete(f"{URL}/{sessions(phone)[0]['id']}").status_code == 204
    assert phone.get("/api/auth/me").status_code == 401


def test_another_s_session_is_as_if_it_did_not_exist(cast: Cast, client_of: ClientOf) -> None:
    phone = login(cast, "198.51.100.7", "Phone")
    foreign = client_of(cast.root).delete(f"{URL}/{sessions(phone)[0]['id']}")
    nonexistent = client_of(cast.root).delete(f"{URL}/{uuid.uuid4()}")
    assert (foreign.status_code, foreign.content) == (404, nonexistent.content)
    assert phone.get("/api/auth/me").status_code == 200
