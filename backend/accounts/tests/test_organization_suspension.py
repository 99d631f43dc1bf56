"""POST /api/organizations/{id}/suspend and /resume"""

from __future__ import annotations

import pytest

from testing.cast import Cast, ClientOf


def test_its_people_see_nothing_of_it_until_it_is_resumed(cast: Cast, client_of: ClientOf) -> None:
    root, alice, bob = client_of(cast.root), client_of(cast.alice), client_of(cast.bob)
    url = f"/api/organizations/{cast.alpha.pk}"
    suspended = root.post(f"{url}/suspend")
    assert suspended.status_code == 200
    assert suspended.json()["suspended"] is not None
    for client in (alice, bob):
        assert client.get(url).status_code == 404
        assert client.get("/api/organizations").json()["count"] == 0
        assert client.get("/api/sites").json()["count"] == 0
        assert client.get(f"/api/sites/{cast.own.pk}").status_code == 404
        assert client.get("/api/memberships").json()["count"] == 0
    assert alice.get(f"/api/users/{cast.bob.pk}").status_code == 404
    assert root.get(f"/api/sites/{cast.own.pk}").status_code == 200
    assert root.post(f"{url}/resume").json()["suspended"] is None
    assert bob.get(f"/api/sites/{cast.own.pk}").status_code == 200


def test_suspending_twice_keeps_the_first_time(cast: Cast, client_of: ClientOf) -> None:
    client, url = client_of(cast.root), f"/api/organizations/{cast.alpha.pk}/suspend"
    first = client.post(url).json()["suspended"]
    assert client.post(url).json()["suspended"] == first


@pytest.mark.parametrize("verb", ["suspend", "resume"])
def test_only_platform_admins_do_it(cast: Cast, client_of: ClientOf, verb: str) -> None:
    url = f"/api/organizations/{cast.alpha.pk}/{verb}"
    assert [client_of(user).post(url).status_code for user in (cast.alice, cast.bob)] == [403, 403]
    assert [client_of(user).post(url).status_code for user in (cast.charlie, cast.dev)] == [404, 404]
    assert client_of().post(url).status_code == 401
