"""What the tables themselves guarantee."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from sites.models import Asset, Point, Site
from testing.cast import Cast, edge_kit


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Chicago", "UTC"])
def test_an_iana_time_zone_is_accepted(cast: Cast, name: str) -> None:
    cast.own.timezone = name
    cast.own.full_clean()


@pytest.mark.parametrize("name", ["", "Berlin", "UTC+1", "../../etc/passwd", "europe/berlin "])
def test_any_other_time_zone_is_refused_with_a_remedy(cast: Cast, name: str) -> None:
    cast.own.timezone = name
    with pytest.raises(ValidationError) as refused:
        cast.own.full_clean()
    assert "timezone" in refused.value.message_dict


def test_every_tenant_row_carries_the_organization_of_its_site(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    for row in (kit.edge, kit.key, kit.device, kit.point, cast.own.assets.get(), cast.bob.site_accesses.get()):
        assert (row.site_id, row.organization_id) == (cast.own.pk, cast.alpha.pk)


def test_the_database_refuses_a_row_of_another_organization(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    Point.objects.filter(pk=kit.point.pk).update(organization=cast.beta)
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_site_that_moves_takes_its_rows_along(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    cast.own.organization = cast.beta
    cast.own.save()
    kit.point.refresh_from_db()
    assert kit.point.organization == cast.beta


def test_a_point_can_be_made_from_site_and_key_alone_in_plain_sql(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sites_point (site_id, organization_id, key) VALUES (%s, %s, %s)",
            [cast.own.pk, cast.alpha.pk, "meter.power"],
        )
    point = Point.objects.get(key="meter.power")
    assert (point.adopted, point.kind, point.unit) == (False, "gauge", "")


def test_an_asset_is_not_below_itself_nor_below_another_sites(cast: Cast) -> None:
    top = Asset.objects.create(site=cast.own, kind="building", name="Top")
    below = Asset.objects.create(site=cast.own, kind="system", name="Below", parent=top)
    top.parent = below
    with pytest.raises(ValidationError, match="below itself"):
        top.clean()
    below.parent = Asset.objects.create(site=cast.other, kind="building", name="Elsewhere")
    with pytest.raises(ValidationError, match="another site"):
        below.clean()


def test_an_edge_and_a_device_stay_on_their_site(cast: Cast) -> None:
    kit, elsewhere = edge_kit(cast.own), edge_kit(cast.foreign)
    for row in (kit.edge, kit.device, kit.point):
        row.full_clean()
    kit.edge.site = cast.foreign
    with pytest.raises(ValidationError, match="stays on its site"):
        kit.edge.clean()
    kit.device.edge = elsewhere.edge
    with pytest.raises(ValidationError, match="stay on their site"):
        kit.device.clean()


def test_nothing_refers_to_another_sites_assets_and_devices(cast: Cast) -> None:
    kit, elsewhere = edge_kit(cast.own), edge_kit(cast.foreign)
    kit.device.asset = elsewhere.device.asset
    kit.point.device = elsewhere.device
    for row in (kit.device, kit.point):
        with pytest.raises(ValidationError, match="belongs to another site"):
            row.clean()


@pytest.mark.parametrize("connection", [[], "x", {"host": {"a": 1}}, {"host": None}, {"units": [1, 2]}])
def test_a_connection_that_no_edge_could_read_is_refused(cast: Cast, connection: object) -> None:
    device = edge_kit(cast.own).device
    device.connection = connection
    with pytest.raises(ValidationError) as refused:
        device.full_clean()
    assert "connection" in refused.value.message_dict


def test_who_leaves_an_organization_does_not_find_the_old_roles_when_coming_back(cast: Cast) -> None:
    cast.bob.memberships.get().delete()
    cast.bob.memberships.create(organization=cast.alpha)
    assert not Site.objects.visible_to(cast.bob).exists()


def test_a_membership_that_is_handed_over_takes_no_roles_along(cast: Cast) -> None:
    membership = cast.bob.memberships.get()
    membership.user = cast.dev
    membership.save()
    assert not cast.bob.site_accesses.exists()
    assert not Site.objects.visible_to(cast.dev).exists()


def test_a_disabled_user_sees_nothing(cast: Cast) -> None:
    cast.root.is_active = False
    assert not Site.objects.visible_to(cast.root).exists()
