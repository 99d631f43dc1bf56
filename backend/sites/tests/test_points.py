"""/api/points: what a person says about a point stands, and points that nobody described are adopted."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from ems_contract.points import Kind
from ems_contract.points import Point as Reported
from sites.actions.points import check_points, do_report_points
from sites.models import Asset, Point
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

KEY = "grid_meter.active_power"


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def manager(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.max)


def report(
    kit: EdgeKit, name: str = "Active power", minimum: float | None = None, maximum: float | None = None
) -> None:
    points = [Reported(KEY, name, "W", Kind.GAUGE, "grid_meter", minimum=minimum, maximum=maximum)]
    do_report_points(kit.edge, check_points(kit.edge, points), points)


def patch(client: APIClient, kit: EdgeKit, **body: object) -> Any:
    return send(client, "PATCH", f"/api/points/{kit.point.pk}", body)


def test_a_persons_word_outlives_every_report(kit: EdgeKit, manager: APIClient) -> None:
    report(kit, minimum=-100.0, maximum=100.0)
    changed = patch(manager, kit, name="Feed-in", maximum=50).json()
    assert (changed["name"], changed["minimum"], changed["maximum"]) == ("Feed-in", -100.0, 50.0)
    assert changed["overridden"] == ["maximum", "name"]
    report(kit, name="P total", minimum=-200.0, maximum=200.0)
    point = manager.get(f"/api/points/{kit.point.pk}").json()
    assert (point["name"], point["minimum"], point["maximum"]) == ("Feed-in", -200.0, 50.0)


def test_null_gives_a_field_back_to_the_edge_as_it_was_reported_last(kit: EdgeKit, manager: APIClient) -> None:
    patch(manager, kit, name="Feed-in", maximum=50)
    report(kit, name="P total", maximum=200.0)
    back = patch(manager, kit, name=None, maximum=None).json()
    assert (back["name"], back["maximum"], back["overridden"]) == ("P total", 200.0, [])
    report(kit, name="P sum")
    assert manager.get(f"/api/points/{kit.point.pk}").json()["name"] == "P sum"


def test_an_asset_that_a_person_took_away_stays_away(kit: EdgeKit, manager: APIClient) -> None:
    assert patch(manager, kit, asset=None).json()["asset"] is None
    report(kit)
    assert manager.get(f"/api/points/{kit.point.pk}").json()["asset"] is None


def test_a_report_of_the_same_changes_nothing(kit: EdgeKit, manager: APIClient) -> None:
    patch(manager, kit, name="Feed-in")
    report(kit)
    before = Point.objects.filter(pk=kit.point.pk).values().get()
    report(kit)
    assert Point.objects.filter(pk=kit.point.pk).values().get() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"minimum": 2, "maximum": 1}, "minimum"),
        ({"minimum": 101}, "minimum"),
        ({"maximum": "NaN"}, "maximum"),
        ({"maximum": "1e999"}, "maximum"),
        ({"name": "a\nb"}, "name"),
        ({"name": ""}, "name"),
        ({"unit": "kW"}, "unit"),
        ({"writable": True}, "writable"),
        ({"adopted": True}, "adopted"),
        ({"overridden": []}, "overridden"),
        ({"site": 1}, "site"),
    ],
)
def test_a_wrong_field_is_named(kit: EdgeKit, manager: APIClient, body: dict[str, object], field: str) -> None:
    report(kit, maximum=100.0)
    assert fields(patch(manager, kit, **body)) == [field]


def test_an_asset_is_on_the_points_own_site(cast: Cast, client_of: ClientOf, kit: EdgeKit) -> None:
    there = Asset.objects.create(site=cast.other, kind="meter", name="There")
    client = client_of(cast.alice)
    assert patch(client, kit, asset=there.pk).content == patch(client, kit, asset=999_999).content


def test_viewers_read_points_and_change_none(cast: Cast, client_of: ClientOf, kit: EdgeKit) -> None:
    client = client_of(cast.bob)
    assert client.get(f"/api/points/{kit.point.pk}").json()["key"] == KEY
    assert code(patch(client, kit, name="x")) == (403, "permission_denied")
    assert code(send(client, "POST", f"/api/sites/{cast.own.pk}/adoption", {})) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("adopted=true", 1),
        ("adopted=false", 1),
        ("kind=register", 0),
        ("search=GRID", 1),
        ("writable=true", 0),
        ("search=battery", 1),
    ],
)
def test_a_list_is_narrowed(cast: Cast, client_of: ClientOf, kit: EdgeKit, query: str, found: int) -> None:
    Point.objects.create(site=cast.own, key="battery.soc")
    assert client_of(cast.bob).get(f"/api/points?{query}").json()["count"] == found


# Adoption -----------------------------------------------------------------------------------------------------------


def adopt(client: APIClient, cast: Cast, *points: dict[str, object]) -> Any:
    return send(client, "POST", f"/api/sites/{cast.own.pk}/adoption", {"points": points})


def said(point: Point, **changes: object) -> dict[str, object]:
    return {"id": point.pk, "name": "State of charge", "unit": "%", "kind": "gauge", **changes}


def test_points_that_nobody_described_are_adopted_together(cast: Cast, kit: EdgeKit, manager: APIClient) -> None:
    soc, voltage = (Point.objects.create(site=cast.own, key=f"grid_meter.{name}") for name in ("soc", "voltage"))
    answer = adopt(manager, cast, said(soc), said(voltage, name="Voltage", unit="V"))
    assert answer.status_code == 200
    assert [(row["key"], row["unit"], row["adopted"]) for row in answer.json()["results"]] == [
        ("grid_meter.soc", "%", True),
        ("grid_meter.voltage", "V", True),
    ]
    soc.refresh_from_db()
    assert (soc.device, soc.asset) == (kit.device, kit.device.asset)
    points = [Reported("grid_meter.soc", "Charge", "Wh", Kind.REGISTER, "grid_meter")]
    do_report_points(kit.edge, check_points(kit.edge, points), points)
    soc.refresh_from_db()
    assert (soc.name, soc.unit, soc.kind) == ("State of charge", "Wh", "register")


def test_one_that_is_not_acceptable_spoils_all(cast: Cast, kit: EdgeKit, manager: APIClient) -> None:
    soc = Point.objects.create(site=cast.own, key="battery.soc")
    for bad, field in (
        (said(kit.point), "points.1.id"),
        (said(soc), "points.1.id"),
        (said(soc, unit="kW"), "points.1.unit"),
        (said(soc, kind="counter"), "points.1.kind"),
        (said(soc, secret=1), "points.1.secret"),
    ):
        assert fields(adopt(manager, cast, said(soc), bad)) == [field]
    soc.refresh_from_db()
    assert not soc.adopted


@pytest.mark.parametrize("points", [[], None, "x", [{}] * 501])
def test_a_list_of_nothing_or_too_much_is_refused(cast: Cast, manager: APIClient, points: object) -> None:
    assert set(fields(send(manager, "POST", f"/api/sites/{cast.own.pk}/adoption", {"points": points}))) == {"points"}
