"""/api/testing/sandboxes"""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
import yaml
from rest_framework.test import APIClient

from accounts.actions import organizations
from accounts.models import Membership, Organization, User
from audit.models import AuditEvent
from sites import edge_keys
from sites.models import Device, EdgeKey, Point, Site
from testing.cast import Cast, ClientOf
from testing.models import GeneratedHistory

URL = "/api/testing/sandboxes"
BODY = {"name": "Charts", "sites": ["factory", "office"], "history_days": 1}


@pytest.fixture
def developer(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.dev)


def make(client: APIClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(URL, {**BODY, **changes}, format="json")
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


def test_it_makes_an_organization_of_test_data_whose_org_admin_is_the_developer(
    cast: Cast, developer: APIClient
) -> None:
    made = make(developer)
    organization = Organization.objects.get(pk=made["id"])
    assert organization.is_sandbox
    assert organization.name == "Charts (sandbox)"
    membership = Membership.objects.get(organization=organization)
    assert (membership.user, membership.role) == (cast.dev, "org_admin")
    assert [site["name"] for site in developer.get("/api/sites").json()["results"]] == [
        "Harbour Office",
        "Nordwerk Factory",
    ]
    assert Device.objects.filter(organization=organization, driver="modbus").count() == 9


def test_each_edge_gets_a_key_that_opens_it_and_a_bootstrap_file(developer: APIClient) -> None:
    made = make(developer)
    assert [edge["simulator"] for edge in made["edges"]] == ["factory", "office"]
    for edge in made["edges"]:
        found = edge_keys.find(edge["key"])
        assert found is not None
        assert (found.edge_id, found.site_id) == (edge["id"], edge["site"])
        bootstrap = yaml.safe_load(edge["bootstrap"])
        assert bootstrap == {
            "url": "http://localhost:3000",
            "key": edge["key"],
            "store": f"./{edge['simulator']}",
        }


def test_the_keys_are_shown_once(developer: APIClient) -> None:
    made = make(developer)
    secrets = [edge["key"].split("_", 2)[2] for edge in made["edges"]]
    listed = developer.get(URL).content.decode() + developer.get("/api/organizations").content.decode()
    stored = str(list(EdgeKey.objects.values())) + str(list(AuditEvent.objects.values()))
    for secret in secrets:
        assert secret not in listed + stored


def test_the_answer_is_kept_by_no_cache(developer: APIClient) -> None:
    assert developer.post(URL, BODY, format="json")["Cache-Control"] == "no-store"


def test_the_points_are_there_before_any_edge_is(developer: APIClient) -> None:
    make(developer)
    power = Point.objects.get(key="grid_meter.active_power", site__slug="factory")
    assert (power.unit, power.kind, power.adopted, power.name) == ("W", "gauge", True, "Active power")


def test_the_list_has_ones_own_and_says_how_far_history_is(
    cast: Cast, developer: APIClient, client_of: ClientOf
) -> None:
    made = make(developer)
    without = make(developer, name="Empty", history_days=0)
    other = User.objects.create_user("dora@example.com", name="Dora", is_developer=True)
    theirs = make(client_of(other), name="Dora's")
    rows = developer.get(URL).json()["results"]
    assert [(row["id"], row["sites"], row["history"]) for row in rows] == [(without["id"], 2, None), (made["id"], 2, 0)]
    everyone = [row["id"] for row in client_of(cast.root).get(URL).json()["results"]]
    assert set(everyone) == {made["id"], without["id"], theirs["id"]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"sites": []}, "sites"),
        ({"sites": ["moon"]}, "sites"),
        ({"sites": ["factory", "factory"]}, "sites"),
        ({"sites": "factory"}, "sites"),
        ({"history_days": 8}, "history_days"),
        ({"history_days": -1}, "history_days"),
        ({"history_days": 1.5}, "history_days"),
        ({"is_sandbox": False}, "is_sandbox"),
        ({"organization": 1}, "organization"),
    ],
)
def test_a_bad_body_is_refused_naming_the_field(developer: APIClient, changes: dict[str, Any], field: str) -> None:
    answer = developer.post(URL, {**BODY, **changes}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert not Organization.objects.filter(is_sandbox=True).exists()


def test_a_name_that_is_taken_is_refused(developer: APIClient) -> None:
    make(developer)
    answer = developer.post(URL, BODY, format="json")
    assert answer.json()["errors"][0]["field"] == "name"


def test_the_name_of_a_customer_is_not_told(cast: Cast, developer: APIClient) -> None:
    assert make(developer, name=cast.alpha.name)["name"] == "Alpha (sandbox)"


def test_a_developer_has_five_at_most(developer: APIClient) -> None:
    for number in range(5):
        make(developer, name=f"Number {number}", sites=["office"], history_days=0)
    answer = developer.post(URL, BODY, format="json")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:ems:problem:too_many_sandboxes"


def test_without_the_simulator_history_is_refused_naming_the_remedy(
    developer: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    answer = developer.post(URL, BODY, format="json")
    assert answer.status_code == 503
    assert "ems-simulator is not installed" in answer.json()["detail"]
    assert not Organization.objects.filter(is_sandbox=True).exists()
    assert make(developer, history_days=0)["edges"]


def test_a_deleted_sandbox_is_gone_for_its_owner_at_once_and_for_good_with_the_workers_next_turn(
    developer: APIClient,
) -> None:
    made = make(developer)
    assert developer.delete(f"{URL}/{made['id']}").status_code == 204
    assert developer.get(URL).json()["count"] == 0
    assert developer.get("/api/sites").json()["count"] == 0
    assert developer.delete(f"{URL}/{made['id']}").status_code == 404
    organizations.delete_due()
    assert not Organization.objects.filter(pk=made["id"]).exists()
    assert not Site.objects.filter(slug="factory").exists()
    assert not GeneratedHistory.objects.exists()


def test_a_developer_is_no_less_a_developer_after_the_last_sandbox(cast: Cast, developer: APIClient) -> None:
    made = make(developer)
    developer.delete(f"{URL}/{made['id']}")
    organizations.delete_due()
    cast.dev.refresh_from_db()
    assert cast.dev.is_active


def test_another_developers_sandbox_is_not_there(cast: Cast, developer: APIClient, client_of: ClientOf) -> None:
    made = make(developer)
    other = client_of(User.objects.create_user("dora@example.com", name="Dora", is_developer=True))
    assert other.delete(f"{URL}/{made['id']}").status_code == 404
    assert other.get(f"/api/organizations/{made['id']}").status_code == 404
    assert Organization.objects.get(pk=made["id"]).delete_after is None


def test_a_member_who_is_not_its_org_admin_deletes_nothing(
    cast: Cast, developer: APIClient, client_of: ClientOf
) -> None:
    made = make(developer)
    guest = User.objects.create_user("dora@example.com", name="Dora", is_developer=True)
    Membership.objects.create(user=guest, organization_id=made["id"])
    assert client_of(guest).delete(f"{URL}/{made['id']}").status_code == 403


def test_a_platform_admin_deletes_any_sandbox(cast: Cast, developer: APIClient, client_of: ClientOf) -> None:
    made = make(developer)
    assert client_of(cast.root).delete(f"{URL}/{made['id']}").status_code == 204


@pytest.mark.parametrize("name", ["root", "dev", "alice"])
def test_a_production_organization_is_deleted_by_nobody_here(cast: Cast, client_of: ClientOf, name: str) -> None:
    caller = cast.everyone()[name]
    caller.is_developer = True
    caller.save()
    assert client_of(caller).delete(f"{URL}/{cast.alpha.pk}").status_code == 404
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None
    assert cast.alpha.suspended is None


@pytest.mark.parametrize("name", ["alice", "max", "olga", "bob", "charlie"])
def test_nobody_but_developers_and_platform_admins_makes_one(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert client.get(URL).status_code == 403
    assert client.post(URL, BODY, format="json").status_code == 403
    assert client.delete(f"{URL}/1").status_code == 403


def test_a_stranger_is_told_to_sign_in(cast: Cast) -> None:
    assert APIClient().post(URL, BODY, format="json").status_code == 401


PRODUCTION_DATA = [
    "organizations",
    "sites",
    "users",
    "memberships",
    "site-access",
    "edges",
    "devices",
    "points",
    "audit",
]


@pytest.mark.parametrize("rows", PRODUCTION_DATA)
def test_a_developer_gets_no_production_data(cast: Cast, developer: APIClient, rows: str) -> None:
    make(developer)
    answer = developer.get(f"/api/{rows}", {"page_size": 500})
    assert answer.status_code == 200
    text = answer.content.decode()
    for secret in ("Alpha", "Beta", "alice@example.com", "bob@example.com", "charlie@example.com", "root@example.com"):
        assert f'"{secret}"' not in text


def test_a_developer_opens_no_production_row(cast: Cast, developer: APIClient) -> None:
    make(developer)
    for url in (
        f"organizations/{cast.alpha.pk}",
        f"organizations/{cast.alpha.pk}/export",
        f"sites/{cast.own.pk}",
        f"sites/{cast.own.pk}/points",
        f"sites/{cast.own.pk}/access",
        f"users/{cast.alice.pk}",
        f"telemetry/historical?site={cast.own.pk}",
    ):
        assert developer.get(f"/api/{url}").status_code in (400, 404), url


def test_the_developer_role_ends_with_the_flag(cast: Cast, developer: APIClient) -> None:
    make(developer)
    User.objects.filter(pk=cast.dev.pk).update(is_developer=False)
    assert developer.get(URL).status_code == 403
