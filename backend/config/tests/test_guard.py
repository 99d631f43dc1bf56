"""A query that came through no door is refused while an API request is answered."""

from __future__ import annotations

import pytest

from config.guard import Unguarded, guarding, unguarded
from sites.models import Edge, Site
from testing.cast import Cast, edge_kit


@pytest.mark.parametrize(
    "query",
    [
        lambda: list(Site.objects.all()),
        lambda: Site.objects.get(pk=1),
        lambda: Site.objects.filter(pk=1).first(),
        lambda: Site.objects.filter(pk=1).values_list("name").count(),
        Site.objects.exists,
        lambda: next(Site.objects.iterator(), None),
        lambda: Edge.objects.update(name="x"),
        lambda: Edge.objects.all().delete(),
        lambda: Site.objects.in_bulk([1]),
        Site.objects.aggregate,
    ],
)
def test_a_query_without_a_door_is_refused(cast: Cast, query: object) -> None:
    assert callable(query)
    with guarding(), pytest.raises(Unguarded):
        query()


def test_a_door_opens_what_the_caller_may_see(cast: Cast) -> None:
    with guarding():
        assert list(Site.objects.visible_to(cast.bob)) == [cast.own]
        assert Site.objects.visible_to(cast.bob).filter(name="Other").count() == 0


def test_what_hangs_on_a_row_that_is_held_needs_no_other_door(cast: Cast) -> None:
    edge_kit(cast.own)
    with guarding():
        site = Site.objects.visible_to(cast.bob).prefetch_related("edges__devices").get()
        assert site.organization == cast.alpha
        assert [device.key for edge in site.edges.all() for device in edge.devices.all()] == ["grid_meter"]


def test_an_exception_says_why(cast: Cast) -> None:
    with guarding():
        assert Site.objects.opened("counted for a test").count() == 3
        with unguarded("a test"):
            assert Site.objects.count() == 3
    with pytest.raises(ValueError, match="say"):
        Site.objects.opened("")
