"""GET /api/auth/me"""

from __future__ import annotations

from testing.cast import Cast, ClientOf

URL = "/api/auth/me"


def test_it_says_who_i_am(cast: Cast, client_of: ClientOf) -> None:
    body = client_of(cast.dev).get(URL).json()
    assert body["email"] == "dev@example.com"
    assert body["developer"] is True
    assert body["organizations"] == []


def test_a_stranger_is_refused(cast: Cast, client_of: ClientOf) -> None:
    assert client_of().get(URL).status_code == 401


def test_it_takes_no_change(cast: Cast, client_of: ClientOf) -> None:
    for method in ("put", "patch", "post"):
        answer = getattr(client_of(cast.bob), method)(URL, {"platform_admin": True, "is_superuser": True})
        assert answer.status_code == 405
    cast.bob.refresh_from_db()
    assert not cast.bob.is_superuser
