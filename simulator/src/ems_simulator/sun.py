"""Where the sun stands, for a place and a UTC instant (low-precision almanac formulas, about 0.01°)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ems_simulator.noise import Floats, Ints

_J2000 = 946_728_000
"""2000-01-01T12:00:00Z in seconds since the epoch."""


class Sun(NamedTuple):
    """Unit vector from the place to the sun. `up` is the sine of the elevation: negative at night."""

    east: Floats
    north: Floats
    up: Floats


def position(latitude: float, longitude: float, seconds: Ints) -> Sun:
    """`seconds` since the epoch, UTC; latitude and longitude in degrees, north and east positive."""
    days = (seconds - _J2000) / 86_400.0
    anomaly = np.radians(357.529 + 0.98560028 * days)
    mean_longitude = 280.459 + 0.98564736 * days
    ecliptic = np.radians(mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439)
    sin_ecliptic = np.sin(ecliptic)
    right_ascension = np.arctan2(np.cos(obliquity) * sin_ecliptic, np.cos(ecliptic))
    sin_declination = np.sin(obliquity) * sin_ecliptic
    cos_declination = np.sqrt(1.0 - sin_declination * sin_declination)
    sidereal = 280.46061837 + 360.98564737 * days + longitude
    hour_angle = np.radians(sidereal % 360.0) - right_ascension
    cos_hour = np.cos(hour_angle)
    sin_place, cos_place = np.sin(np.radians(latitude)), np.cos(np.radians(latitude))
    return Sun(
        east=-cos_declination * np.sin(hour_angle),
        north=cos_place * sin_declination - sin_place * cos_declination * cos_hour,
        up=sin_place * sin_declination + cos_place * cos_declination * cos_hour,
    )


def elevation(latitude: float, longitude: float, seconds: Ints) -> Floats:
    """Degrees above the horizon, without refraction."""
    return np.degrees(np.arcsin(position(latitude, longitude, seconds).up))


def clear_irradiance(sun: Sun, tilt: float, azimuth: float) -> Floats:
    """W/m² on a plane under a cloudless sky (Haurwitz): `tilt` from horizontal, `azimuth` from north, degrees.

    Zero while the sun is below the horizon.
    """
    up = np.maximum(sun.up, 1e-4)
    horizontal = 1098.0 * up * np.exp(-0.057 / up)
    diffuse = 0.13 * horizontal
    beam = (horizontal - diffuse) / np.maximum(up, 0.03)
    lean, turn = np.radians(tilt), np.radians(azimuth)
    incidence = (
        sun.east * (np.sin(lean) * np.sin(turn)) + sun.north * (np.sin(lean) * np.cos(turn)) + sun.up * np.cos(lean)
    )
    plane = beam * np.maximum(incidence, 0.0) + diffuse * (1.0 + np.cos(lean)) / 2.0
    return np.where(sun.up > 0.0, plane, 0.0)
