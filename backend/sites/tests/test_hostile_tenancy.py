"""Tenancy: every sentence of the hostile cases that is about sites and what is on them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership, Organization
from sites.models import Asset, Device, Edge, EdgeKey, Point, Site, SiteAccess
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

NOWHERE = (999_999, 2**31, 2**63, 10**30)
ROWS = ("site-access", "assets", "edges", "devices", "points", "edge-keys")
PARTS = ("sites/{}/points", "sites/{}/assets", "sites/{}/access", "sites/{}/adoption", "edges/{}/keys")


@pytest.fixture
def foreign(cast: Cast) -> EdgeKit:
    SiteAccess.objects.create(site=cast.foreign, user=cast.charlie, role="viewer")
    return edge_kit(cast.foreign)


def row_of(name: str, site: Site) -> int:
    """The id of some row at /api/<name> that is on this site."""
    models: dict[str, Any] = {
        "site-access": SiteAccess,
        "assets": Asset,
        "edges": Edge,
        "devices": Device,
        "points": Point,
        "edge-keys": EdgeKey,
    }
    return int(models[name].objects.filter(site=site).values_list("pk", flat=True)[0])


def everything() -> dict[str, list[Any]]:
    models = (Organization, Membership, Site, SiteAccess, Asset, Edge, EdgeKey, Device, Point)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


# A foreign id in the path -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("who", ["alice", "max", "dev"])
def test_a_foreign_id_in_the_path_and_none_at_all_answer_byte_for_byte_alike(
    cast: Cast, client_of: ClientOf, foreign: EdgeKit, name: str, method: str, who: str
) -> None:
    client, before = client_of(cast.everyone()[who]), everything()
    for body in ({}, {"name": "mine", "role": "viewer"}, {"organization": cast.alpha.pk}):
        numbers = (row_of(name, cast.foreign), *NOWHERE)
        answers = [send(client, method, f"/api/{name}/{number}", body) for number in numbers]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
    assert everything() == before


@pytest.mark.parametrize("path", [*PARTS, "sites/{}"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_foreign_id_before_a_part_of_it_answers_so_too(
    cast: Cast, client_of: ClientOf, foreign: EdgeKit, path: str, method: str
) -> None:
    number, client = (foreign.edge.pk if path.startswith("edges") else cast.foreign.pk), client_of(cast.alice)
    answers = [send(client, method, f"/api/{path.format(each)}", {}) for each in (number, *NOWHERE)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_another_site_of_the_own_organization_is_as_foreign(
    cast: Cast, client_of: ClientOf, name: str
) -> None:
    edge_kit(cast.other)
    SiteAccess.objects.create(site=cast.other, user=cast.bob, role="viewer")
    client = client_of(cast.max)
    for method in ("GET", "PATCH", "DELETE"):
        answer = send(client, method, f"/api/{name}/{row_of(name, cast.other)}", {"name": "x"})
        assert code(answer) == (404, "not_found")


# A foreign id in a body's foreign key -------------------------------------------------------------------------------


def bodies(cast: Cast, own: EdgeKit, foreign: EdgeKit) -> dict[str, tuple[str, str, str, dict[str, Any]]]:
    """What it is -> (method, address, the field, a body that is right but for that field)."""
    foreign_asset = Asset.objects.filter(site=cast.foreign)[0]
    device = {"key": "k", "name": "n", "driver": "modbus", "profile": "p", "connection": {"host": "h"}}
    where = {"timezone": "UTC", "latitude": 0, "longitude": 0, "name": "n"}
    point, asset = f"/api/points/{own.point.pk}", f"/api/assets/{own.device.asset_id}"
    return {
        "organization of a site": ("POST", "/api/sites", "organization", {**where, "organization": cast.beta.pk}),
        "site of an asset": ("POST", "/api/assets", "site", {"kind": "meter", "name": "n", "site": cast.foreign.pk}),
        "site of an edge": ("POST", "/api/edges", "site", {"name": "n", "site": cast.foreign.pk}),
        "site of a role": (
            "POST",
            "/api/site-access",
            "site",
            {"email": cast.bob.email, "role": "viewer", "site": cast.foreign.pk},
        ),
        "person of a role": (
            "POST",
            "/api/site-access",
            "user",
            {"site": cast.other.pk, "role": "viewer", "user": cast.charlie.pk},
        ),
        "edge of a device": ("POST", "/api/devices", "edge", {**device, "edge": foreign.edge.pk}),
        "asset of a device": (
            "POST",
            "/api/devices",
            "asset",
            {**device, "edge": own.edge.pk, "asset": foreign_asset.pk},
        ),
        "edge of a device later": ("PATCH", f"/api/devices/{own.device.pk}", "edge", {"edge": foreign.edge.pk}),
        "asset of a device later": ("PATCH", f"/api/devices/{own.device.pk}", "asset", {"asset": foreign_asset.pk}),
        "parent of an asset": ("PATCH", asset, "parent", {"parent": foreign_asset.pk}),
        "asset of a point": ("PATCH", point, "asset", {"asset": foreign_asset.pk}),
    }


CASES = (
    "organization of a site",
    "site of an asset",
    "site of an edge",
    "site of a role",
    "person of a role",
    "edge of a device",
    "asset of a device",
    "edge of a device later",
    "asset of a device later",
    "parent of an asset",
    "asset of a point",
)


@pytest.mark.parametrize("case", CASES)
def test_a_foreign_id_in_a_body_is_refused_byte_for_byte_like_one_that_does_not_exist(
    cast: Cast, client_of: ClientOf, foreign: EdgeKit, case: str
) -> None:
    method, url, field, body = bodies(cast, edge_kit(cast.own), foreign)[case]
    client, before = client_of(cast.alice), everything()
    answers = [send(client, method, url, body)]
    answers += [send(client, method, url, {**body, field: number}) for number in (999_999, 2**31, 2**63 - 1)]
    assert all(fields(answer) == [field] for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    assert everything() == before


# A foreign id in a filter or in an order ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name", "model"),
    [
        ("/api/sites", "organization", Organization),
        ("/api/site-access", "site", Site),
        ("/api/assets", "site", Site),
        ("/api/assets", "parent", Asset),
        ("/api/edges", "site", Site),
        ("/api/devices", "site", Site),
        ("/api/devices", "edge", Edge),
        ("/api/devices", "asset", Asset),
        ("/api/points", "site", Site),
        ("/api/points", "device", Device),
        ("/api/points", "asset", Asset),
    ],
)
def test_a_foreign_id_in_a_filter_is_refused_byte_for_byte_like_one_that_does_not_exist(
    cast: Cast, client_of: ClientOf, foreign: EdgeKit, url: str, name: str, model: type[Any]
) -> None:
    hers = {Organization: cast.beta.pk, Site: cast.foreign.pk}.get(model)
    number = hers if hers is not None else model.objects.filter(site=cast.foreign)[0].pk
    client = client_of(cast.alice)
    answers = [client.get(f"{url}?{name}={each}") for each in (number, 999_999, 2**63 - 1)]
    assert all(fields(answer) == [name] for answer in answers)
    assert len({answer.content for answer in answers}) == 1


def test_an_order_cannot_spell_out_what_another_organization_holds(cast: Cast, client_of: ClientOf) -> None:
    for order in ("organization__secret", "organization__memberships__user__password", "-site__edge_keys__secret_hash"):
        for url in ("/api/sites", "/api/points", "/api/edges"):
            assert fields(client_of(cast.alice).get(f"{url}?ordering={order}")) == ["ordering"]


# All or nothing -----------------------------------------------------------------------------------------------------


def test_a_list_that_mixes_own_and_foreign_changes_nothing(cast: Cast, client_of: ClientOf) -> None:
    own, elsewhere, foreign = (
        Point.objects.create(site=site, key="battery.soc") for site in (cast.own, cast.other, cast.foreign)
    )
    said = {"name": "Charge", "unit": "%", "kind": "gauge"}
    client, before = client_of(cast.alice), everything()
    answers = [
        send(
            client,
            "POST",
            f"/api/sites/{cast.own.pk}/adoption",
            {"points": [{"id": own.pk, **said}, {"id": number, **said}]},
        )
        for number in (foreign.pk, elsewhere.pk, 999_999)
    ]
    assert all(fields(answer) == ["points.1.id"] for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    assert everything() == before


# What no body may carry ---------------------------------------------------------------------------------------------


def test_ones_own_site_cannot_be_moved_to_a_foreign_organization(cast: Cast, client_of: ClientOf) -> None:
    cast.beta.memberships.create(user=cast.alice, role="org_admin")
    for who in (cast.alice, cast.max, cast.root):
        for value in (cast.beta.pk, {"id": cast.beta.pk}, None):
            answer = send(client_of(who), "PATCH", f"/api/sites/{cast.own.pk}", {"organization": value})
            assert fields(answer) == ["organization"]
    cast.own.refresh_from_db()
    assert cast.own.organization == cast.alpha


@pytest.mark.parametrize("name", ["sites", *ROWS])
@pytest.mark.parametrize(
    "field",
    [
        "role_",
        "is_superuser",
        "organization",
        "organization_id",
        "site_id",
        "id",
        "pk",
        "user",
        "secret_hash",
        "actions",
    ],
)
def test_a_body_carries_no_owner_no_right_and_no_id_along(
    cast: Cast, client_of: ClientOf, name: str, field: str
) -> None:
    edge_kit(cast.own)
    url = f"/api/{name}/{cast.own.pk if name == 'sites' else row_of(name, cast.own)}"
    client, before = client_of(cast.alice), everything()
    answer = send(client, "PATCH", url, {field: cast.beta.pk})
    if name == "edge-keys":
        assert answer.status_code == 405
    else:
        assert fields(answer) == [field]
    assert everything() == before


def test_a_role_is_no_field_of_a_site(cast: Cast, client_of: ClientOf) -> None:
    answer = send(client_of(cast.max), "PATCH", f"/api/sites/{cast.own.pk}", {"role": "org_admin", "name": "x"})
    assert fields(answer) == ["role"]
