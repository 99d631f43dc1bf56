"""GET /api/sites/{id}/points and GET /api/sites/{id}/assets"""

from __future__ import annotations

from pytest_django import DjangoAssertNumQueries

from sites.models import Asset, Point
from testing.cast import Cast, ClientOf, edge_kit


def test_a_point_comes_with_its_device_and_asset(cast: Cast, client_of: ClientOf) -> None:
    kit = edge_kit(cast.own)
    body = client_of(cast.bob).get(f"/api/sites/{cast.own.pk}/points").json()
    assert body == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": kit.point.pk,
                "key": "grid_meter.active_power",
                "name": "Active power",
                "unit": "W",
                "kind": "gauge",
                "writable": False,
                "minimum": None,
                "maximum": None,
                "default": None,
                "states": None,
                "device": {"id": kit.device.pk, "key": "grid_meter", "name": "Grid meter", "profile": "stl_meter"},
                "asset": {"id": kit.device.asset_id, "name": "Grid connection", "kind": "grid_connection"},
                "adopted": True,
                "site": cast.own.pk,
                "overridden": [],
            }
        ],
    }


def test_a_point_that_no_edge_has_reported_is_not_adopted(cast: Cast, client_of: ClientOf) -> None:
    Point.objects.create(site=cast.own, key="unknown.thing")
    (point,) = client_of(cast.bob).get(f"/api/sites/{cast.own.pk}/points").json()["results"]
    assert (point["adopted"], point["device"], point["asset"], point["kind"]) == (False, None, None, "gauge")


def test_points_of_another_site_are_not_among_them(cast: Cast, client_of: ClientOf) -> None:
    edge_kit(cast.foreign)
    edge_kit(cast.other)
    assert client_of(cast.bob).get(f"/api/sites/{cast.own.pk}/points").json()["count"] == 0


def test_a_thousand_points_are_one_answer(
    cast: Cast, client_of: ClientOf, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    kit = edge_kit(cast.own)
    rows = (
        Point(site=cast.own, organization=cast.alpha, device=kit.device, key=f"grid_meter.p{number}")
        for number in range(1000)
    )
    Point.objects.bulk_create(rows)
    client = client_of(cast.bob)
    with django_assert_max_num_queries(6):
        assert len(client.get(f"/api/sites/{cast.own.pk}/points").json()["results"]) == 1001


def test_the_assets_form_a_tree(cast: Cast, client_of: ClientOf) -> None:
    building = Asset.objects.create(site=cast.own, kind=Asset.Kind.BUILDING, name="Hall")
    hvac = Asset.objects.create(site=cast.own, parent=building, kind=Asset.Kind.HVAC, name="Air")
    Asset.objects.create(site=cast.foreign, kind=Asset.Kind.BUILDING, name="Not yours")
    body = client_of(cast.bob).get(f"/api/sites/{cast.own.pk}/assets").json()
    assert body["results"] == [
        {"id": building.pk, "site": cast.own.pk, "name": "Hall", "kind": "building", "parent": None},
        {"id": hvac.pk, "site": cast.own.pk, "name": "Air", "kind": "hvac", "parent": building.pk},
    ]
