"""The sun is where the almanac says."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from ems_simulator import sun
from ems_simulator.sites import DEMO_SITES, site


def at(text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([int(dt.datetime.fromisoformat(text).timestamp())])


@pytest.mark.parametrize(
    ("latitude", "longitude", "instant", "elevation"),
    [
        (51.4779, 0.0, "2026-06-21T12:02:00Z", 61.96),  # solstice noon at Greenwich: 90 - latitude + 23.44
        (51.4779, 0.0, "2026-12-21T11:58:00Z", 15.08),
        (0.0, 0.0, "2026-03-20T12:07:00Z", 89.9),  # equinox on the equator
        (-33.87, 151.21, "2026-12-21T01:53:00Z", 79.57),  # Sydney, southern summer
        (52.52, 13.40, "2026-06-21T23:07:00Z", -14.05),  # midnight in Berlin
    ],
)
def test_it_stands_where_the_almanac_says(latitude: float, longitude: float, instant: str, elevation: float) -> None:
    assert sun.elevation(latitude, longitude, at(instant))[0] == pytest.approx(elevation, abs=0.15)


def test_it_rises_in_the_east_and_sets_in_the_west() -> None:
    morning = sun.position(52.52, 13.40, at("2026-03-20T06:00:00Z"))
    evening = sun.position(52.52, 13.40, at("2026-03-20T16:30:00Z"))
    assert morning.east[0] > 0.9
    assert evening.east[0] < -0.9


@pytest.mark.parametrize("key", DEMO_SITES)
def test_a_cloudless_sky_gives_nothing_at_night_and_about_a_kilowatt_at_noon(key: str) -> None:
    place = site(key)
    year = np.arange(0, 365 * 86_400, 600) + int(at("2026-01-01T00:00:00Z")[0])
    position = sun.position(place.latitude, place.longitude, year)
    clear = sun.clear_irradiance(position, place.pv.tilt, place.pv.azimuth)
    assert (clear[position.up <= 0] == 0).all()
    assert (clear >= 0).all()
    assert 850 < clear.max() < 1150
