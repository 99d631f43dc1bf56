"""/api/assets: the tree of a site."""

from __future__ import annotations

import pytest

from sites.actions.assets import DEEPEST
from sites.models import Asset
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, edge_kit

URL = "/api/assets"


def asset(cast: Cast, name: str, parent: Asset | None = None) -> Asset:
    return Asset.objects.create(site=cast.own, kind="building", name=name, parent=parent)


def test_a_site_manager_builds_the_tree(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.max)
    hall = send(client, "POST", URL, {"site": cast.own.pk, "kind": "building", "name": "Hall"})
    assert hall.status_code == 201
    body = {"site": cast.own.pk, "kind": "hvac", "name": "Air", "parent": hall.json()["id"]}
    air = send(client, "POST", URL, body).json()
    assert air == {**body, "id": air["id"]}
    moved = send(client, "PATCH", f"{URL}/{air['id']}", {"parent": None, "name": "Air 2"}).json()
    assert (moved["parent"], moved["name"], moved["kind"]) == (None, "Air 2", "hvac")


def test_an_asset_is_never_below_itself(cast: Cast, client_of: ClientOf) -> None:
    top = asset(cast, "Top")
    middle = asset(cast, "Middle", top)
    bottom = asset(cast, "Bottom", middle)
    for parent in (top, middle, bottom):
        assert fields(send(client_of(cast.max), "PATCH", f"{URL}/{top.pk}", {"parent": parent.pk})) == ["parent"]


def test_the_tree_has_a_deepest_level(cast: Cast, client_of: ClientOf) -> None:
    node = None
    for level in range(DEEPEST):
        node = asset(cast, f"Level {level}", node)
    assert node is not None
    client, other = client_of(cast.max), asset(cast, "Other")
    asset(cast, "Below other", other)
    new = {"site": cast.own.pk, "kind": "meter", "name": "Too deep", "parent": node.pk}
    assert fields(send(client, "POST", URL, new)) == ["parent"]
    assert fields(send(client, "PATCH", f"{URL}/{other.pk}", {"parent": node.parent_id})) == ["parent"]


def test_an_asset_of_another_site_is_no_parent_even_if_both_are_mine(cast: Cast, client_of: ClientOf) -> None:
    elsewhere = Asset.objects.create(site=cast.other, kind="building", name="Elsewhere")
    here, client = asset(cast, "Here"), client_of(cast.alice)
    answers = [
        send(client, "PATCH", f"{URL}/{here.pk}", {"parent": number}) for number in (elsewhere.pk, 999_999, 2**70)
    ]
    assert all(fields(answer) == ["parent"] for answer in answers)
    assert len({answer.content for answer in answers}) == 1


def test_an_asset_stays_on_its_site(cast: Cast, client_of: ClientOf) -> None:
    here = asset(cast, "Here")
    assert fields(send(client_of(cast.alice), "PATCH", f"{URL}/{here.pk}", {"site": cast.other.pk})) == ["site"]


def test_what_has_something_below_it_is_not_deleted_by_accident(cast: Cast, client_of: ClientOf) -> None:
    kit, client = edge_kit(cast.own), client_of(cast.max)
    top = kit.device.asset
    assert top is not None
    below = asset(cast, "Below", top)
    assert code(client.delete(f"{URL}/{top.pk}")) == (409, "has_children")
    assert client.delete(f"{URL}/{below.pk}").status_code == 204
    assert client.delete(f"{URL}/{top.pk}").status_code == 204
    kit.device.refresh_from_db()
    assert kit.device.asset is None


@pytest.mark.parametrize(
    ("change", "field"), [({"kind": "castle"}, "kind"), ({"name": "  "}, "name"), ({"parent": True}, "parent")]
)
def test_a_wrong_field_is_named(cast: Cast, client_of: ClientOf, change: dict[str, object], field: str) -> None:
    body = {"site": cast.own.pk, "kind": "meter", "name": "Meter", **change}
    assert fields(send(client_of(cast.max), "POST", URL, body)) == [field]


def test_viewers_see_assets_and_change_none(cast: Cast, client_of: ClientOf) -> None:
    here, client = asset(cast, "Here"), client_of(cast.bob)
    assert client.get(f"{URL}/{here.pk}").json()["name"] == "Here"
    assert client.get(f"{URL}?site={cast.own.pk}&kind=building").json()["count"] == 1
    for method in ("PATCH", "DELETE"):
        assert code(send(client, method, f"{URL}/{here.pk}")) == (403, "permission_denied")
    assert code(send(client, "POST", URL, {"site": cast.own.pk})) == (403, "permission_denied")
