"""PUT /api/edge/points"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from ems_contract.points import Kind
from ems_contract.points import Point as Reported
from ems_contract.provisioning import PointsReport
from sites.actions.points import MAX_POINTS
from sites.models import Point
from testing.cast import Cast, EdgeKit, edge_kit

URL = "/api/edge/points"


def put(kit: EdgeKit, *points: object) -> Any:
    return APIClient().put(URL, {"points": points}, format="json", HTTP_AUTHORIZATION=f"Bearer {kit.text}")


def reported(signal: str = "active_power", **changes: object) -> dict[str, object]:
    return {
        "key": f"grid_meter.{signal}",
        "name": "Active power",
        "unit": "W",
        "kind": "gauge",
        "device": "grid_meter",
        **changes,
    }


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


def test_new_points_are_made_with_their_device_and_its_asset(kit: EdgeKit) -> None:
    state = reported("status", unit="", kind="state", states={"0": "off", "1": "on"})
    setpoint = reported("setpoint", writable=True, minimum=-5.0, maximum=5.0)
    assert put(kit, state, setpoint).status_code == 204
    point = Point.objects.get(key="grid_meter.status")
    assert (point.site_id, point.organization_id) == (kit.edge.site_id, kit.edge.organization_id)
    assert (point.device, point.asset_id, point.adopted) == (kit.device, kit.device.asset_id, True)
    assert point.states == {"0": "off", "1": "on"}
    point = Point.objects.get(key="grid_meter.setpoint")
    assert (point.writable, point.minimum, point.maximum) == (True, -5.0, 5.0)


def test_reporting_again_updates_and_keeps_the_ids(kit: EdgeKit) -> None:
    put(kit, reported("status"))
    before = dict(Point.objects.values_list("key", "pk"))
    assert put(kit, reported("status", name="State"), reported()).status_code == 204
    assert dict(Point.objects.values_list("key", "pk")) == before
    assert Point.objects.get(key="grid_meter.status").name == "State"


def test_a_point_that_was_only_seen_in_a_batch_is_adopted(kit: EdgeKit) -> None:
    seen = Point.objects.create(site=kit.edge.site, key="grid_meter.status")
    put(kit, reported("status"))
    seen.refresh_from_db()
    assert (seen.adopted, seen.device) == (True, kit.device)


def test_a_points_own_asset_is_kept(kit: EdgeKit) -> None:
    kit.point.asset = kit.edge.site.assets.create(kind="meter", name="Meter")
    kit.point.save()
    put(kit, reported(name="Other name"), reported("status"))
    kit.point.refresh_from_db()
    assert kit.point.asset is not None
    assert kit.point.asset.name == "Meter"


def test_an_id_is_never_used_again(kit: EdgeKit) -> None:
    put(kit, reported("status"))
    gone = Point.objects.get(key="grid_meter.status")
    used = gone.pk
    gone.delete()
    put(kit, reported("status"))
    assert Point.objects.get(key="grid_meter.status").pk > used


def test_points_that_are_no_longer_reported_stay(kit: EdgeKit) -> None:
    assert put(kit, reported("status")).status_code == 204
    assert put(kit).status_code == 204
    assert Point.objects.filter(site=kit.edge.site).count() == 2


@pytest.mark.parametrize(
    ("point", "field"),
    [
        (reported(key="Grid_Meter.x"), "key"),
        (reported(key="battery.active_power"), "key"),
        (reported(key="grid_meter.a;drop"), "key"),
        (reported(key="battery.x", device="battery"), "device"),
        (reported(unit="kW"), "unit"),
        (reported(kind="counter"), "kind"),
        (reported(name=""), "name"),
        (reported(name="x" * 201), "name"),
        (reported(name="a\x00b"), "name"),
        (reported(minimum=2.0, maximum=1.0), "minimum"),
        (reported(minimum="low"), "minimum"),
        (reported(states={"on": "1"}), "states"),
        (reported(states={"1": "a\x00b"}), "states"),
    ],
)
def test_a_bad_point_is_named_and_none_of_the_report_is_taken(
    kit: EdgeKit, point: dict[str, object], field: str
) -> None:
    answer = put(kit, reported("status"), point)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [f"points.1.{field}"]
    assert not Point.objects.filter(key="grid_meter.status").exists()


def test_a_key_reported_twice_is_refused(kit: EdgeKit) -> None:
    assert put(kit, reported(), reported()).json()["errors"][0]["field"] == "points.1.key"


def test_a_device_of_another_edge_or_site_is_not_ones_own(kit: EdgeKit, cast: Cast) -> None:
    elsewhere = edge_kit(cast.foreign, device="battery")
    answer = put(kit, reported(key="battery.active_power", device="battery"))
    assert answer.status_code == 400
    elsewhere.point.refresh_from_db()
    assert elsewhere.point.name == "Active power"


def test_a_thousand_points_take_few_queries(
    kit: EdgeKit, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    points = [reported(f"p{number}") for number in range(1000)]
    with django_assert_max_num_queries(12):
        assert put(kit, *points).status_code == 204
    with django_assert_max_num_queries(8):
        assert put(kit, *points).status_code == 204


def test_without_a_key_it_is_refused(kit: EdgeKit) -> None:
    answer = APIClient().put(URL, {"points": []}, format="json")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:ems:problem:invalid_edge_key")


def test_as_many_points_as_are_allowed_fit_in_a_body(settings: Settings) -> None:
    name = "Active power of the second feeder in the northern hall, phase L1"
    point = Reported(f"{'x' * 40}.active_power_l1", name, "W", Kind.GAUGE, "x" * 40, True, -1e6, 1e6)
    report = msgspec.json.encode(PointsReport([point] * MAX_POINTS))
    assert len(report) < settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_a_point_more_than_is_allowed_is_refused_with_the_limit(kit: EdgeKit) -> None:
    answer = put(kit, *[reported("x")] * (MAX_POINTS + 1))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "points"
    assert str(MAX_POINTS) in answer.json()["errors"][0]["message"]


def test_a_million_points_are_refused_before_they_are_read(kit: EdgeKit) -> None:
    body = b'{"points":[' + b",".join([b'{"key":"grid_meter.x"}'] * 1_000_000) + b"]}"
    answer = APIClient().put(URL, body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {kit.text}")
    assert answer.status_code == 413
    assert not Point.objects.filter(key="grid_meter.x").exists()
