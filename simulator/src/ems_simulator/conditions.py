"""What a site cannot influence: weather, sun, local time, and the load that people want. Pure functions of time.

Everything is known for each minute as its mean, in whole watts. Within a minute a power wiggles around that mean, as
`wiggle` tells: antisymmetrically in time, so that the energy of a minute is its mean times 60 s to the joule,
and a month can be integrated exactly without looking at each of its seconds.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from ems_simulator import noise, sun
from ems_simulator.noise import Floats, Ints
from ems_simulator.sites import Site

MINUTES_PER_DAY = 1440
_PATTERNS = 32
_OFF_CENTRE = (np.arange(60) - 29.5) / 60.0
_MONDAY = 3
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """One entry for each minute. Powers in W, slopes in W per minute, temperatures in °C, irradiance in W/m².

    `trade` is what the battery sells to the grid (+) or buys from it (-).
    """

    pv: Ints
    pv_slope: Floats
    load: Ints
    load_slope: Floats
    load_jitter: Floats
    pattern: Ints
    irradiance: Floats
    outdoor: Floats
    gains: Floats
    occupied: Ints
    trade: Floats

    def take(self, which: slice | Ints) -> Conditions:
        return Conditions(*(getattr(self, field.name)[which] for field in fields(self)))


class Wiggle(NamedTuple):
    """PV and load in W at each second of some minutes: arrays of (minutes, 60)."""

    pv: Ints
    load: Ints


def wiggle(seed: int, minutes: Conditions) -> Wiggle:
    """Each row's sum is the minute's mean times 60, exactly; no value is negative."""
    noise_ = _patterns(seed)[minutes.pattern]
    pv = np.rint(minutes.pv_slope[:, None] * _OFF_CENTRE).astype(np.int64)
    load = np.rint(minutes.load_slope[:, None] * _OFF_CENTRE + minutes.load_jitter[:, None] * noise_).astype(np.int64)
    pv_mean, load_mean = minutes.pv[:, None], minutes.load[:, None]
    return Wiggle(pv_mean + np.clip(pv, -pv_mean, pv_mean), load_mean + np.clip(load, -load_mean, load_mean))


def bound(minutes: Conditions) -> Floats:
    """No second of a minute is further from the mean of load - PV than this, W."""
    return (np.abs(minutes.pv_slope) + np.abs(minutes.load_slope)) / 2.0 + minutes.load_jitter + 2.0


@cache
def _patterns(seed: int) -> Floats:
    half = noise.white(seed, "patterns", np.arange(_PATTERNS * 30)).reshape(_PATTERNS, 30)
    return np.concatenate([half, -half[:, ::-1]], axis=1)


def during(site: Site, seed: int, minute: int, count: int) -> Conditions:
    """The conditions of `count` minutes from `minute` (minutes since the epoch); they must lie in one UTC day."""
    day, first = divmod(minute, MINUTES_PER_DAY)
    if first + count > MINUTES_PER_DAY:
        raise ValueError(f"{count} minutes from minute {minute} reach into the next UTC day")
    return _day(site, seed, day).take(slice(first, first + count))


@lru_cache(maxsize=16)
def _day(site: Site, seed: int, day: int) -> Conditions:
    # One minute more on either side: a slope needs its neighbours. A mean is taken in the middle of its minute.
    minutes = np.arange(day * MINUTES_PER_DAY - 1, (day + 1) * MINUTES_PER_DAY + 1)
    seconds = minutes * 60 + 30
    local = local_time(site.timezone, seconds)
    outdoor = _outdoor(site, seed, seconds)
    irradiance = _irradiance(site, seed, seconds)
    pv = _pv(site, irradiance, outdoor)
    wanted = _load(site, seed, seconds, local)
    inner = slice(1, -1)
    load = np.rint(wanted).astype(np.int64)
    hvac, battery = site.hvac, site.battery
    occupied = _between(local, hvac.occupied, weekdays_only=True) if hvac else np.zeros(len(minutes), bool)
    trade = np.zeros(len(minutes))
    if battery and (selling := battery.evening_export):
        trade += _between(local, selling.hours) * selling.kw * 1000.0
    if battery and (buying := battery.night_charge):
        trade -= _between(local, buying.hours) * buying.kw * 1000.0
    return Conditions(
        pv=pv[inner],
        pv_slope=_slope(pv),
        load=load[inner],
        load_slope=_slope(load),
        load_jitter=wanted[inner] * site.load.jitter,
        pattern=(noise.bits(seed, f"{site.key}/pattern", minutes[inner]) % np.uint64(_PATTERNS)).astype(np.int64),
        irradiance=irradiance[inner],
        outdoor=outdoor[inner],
        gains=wanted[inner] * (hvac.gains if hvac else 0.0),
        occupied=occupied[inner].astype(np.int64),
        trade=trade[inner],
    )


def _slope(means: Ints) -> Floats:
    return (means[2:] - means[:-2]) / 2.0


class LocalTime(NamedTuple):
    """Site time: `weekday` 0 is Monday, `hour` in 0..24 with a fraction."""

    weekday: Ints
    hour: Floats


def local_time(timezone: str, seconds: Ints) -> LocalTime:
    """From seconds since the epoch, UTC. Offsets change on full UTC hours (true for every zone with DST today)."""
    zone = zoneinfo.ZoneInfo(timezone)
    hours = seconds // 3600
    first, last = int(hours[0]), int(hours[-1])
    offsets = np.array([_offset(zone, hour) for hour in range(first, last + 1)])
    local = seconds + offsets[hours - first]
    return LocalTime((local // 86_400 + _MONDAY) % 7, (local % 86_400) / 3600.0)


def _offset(zone: zoneinfo.ZoneInfo, hour: int) -> int:
    found = dt.datetime.fromtimestamp(hour * 3600, zone).utcoffset()
    return round(found.total_seconds()) if found is not None else 0


def _between(local: LocalTime, hours: tuple[float, float], *, weekdays_only: bool = False) -> noise.Floats:
    start, end = hours
    inside = (local.hour >= start) & (local.hour < end)
    if weekdays_only and end - start < 24:
        inside &= local.weekday < 5
    return inside.astype(np.float64)


def _outdoor(site: Site, seed: int, seconds: Ints) -> Floats:
    climate = site.climate
    hemisphere = 1.0 if site.latitude >= 0 else -1.0
    year = 2 * np.pi * (seconds / 86_400.0 - 200.0) / 365.2425
    solar_hour = 2 * np.pi * (seconds / 3600.0 + site.longitude / 15.0 - 15.0) / 24.0
    temperature: Floats = (
        climate.mean + climate.annual * hemisphere * np.cos(year) + climate.daily * np.cos(solar_hour)
        + 3.5 * noise.smooth(seed, f"{site.key}/front", 200_000, seconds)
        + 0.9 * noise.smooth(seed, f"{site.key}/breeze", 7_000, seconds)
    )  # fmt: skip
    return temperature


def _irradiance(site: Site, seed: int, seconds: Ints) -> Floats:
    clear = sun.clear_irradiance(sun.position(site.latitude, site.longitude, seconds), site.pv.tilt, site.pv.azimuth)
    if not clear.any():
        return clear
    cover = np.clip(
        site.climate.cloudiness
        + 0.5 * noise.smooth(seed, f"{site.key}/sky", 110_000, seconds)
        + 0.2 * noise.smooth(seed, f"{site.key}/clouds", 15_000, seconds),
        0.0,
        1.0,
    )
    passing = 0.6 * noise.smooth(seed, f"{site.key}/cloud", 1_020, seconds)
    passing += 0.4 * noise.smooth(seed, f"{site.key}/wisp", 330, seconds)
    # Broken skies vary most; clear and closed ones hardly.
    shade = np.clip(cover + passing * 3.2 * cover * (1.0 - cover), 0.0, 1.0)
    return clear * (1.0 - 0.82 * shade)


def _pv(site: Site, irradiance: Floats, outdoor: Floats) -> Ints:
    cells = outdoor + 0.028 * irradiance
    power = site.pv.peak_kw * irradiance * (1.0 - 0.004 * (cells - 25.0)) * 0.89
    limit = site.pv.inverter_kw * 1000.0
    return np.where(power > 0.004 * limit, np.rint(np.minimum(power, limit)), 0.0).astype(np.int64)


def _load(site: Site, seed: int, seconds: Ints, local: LocalTime) -> Floats:
    load = site.load
    week = np.array(load.weekday * 5 + load.saturday + load.sunday) * 1000.0
    hour = local.hour.astype(np.int64)
    knot = local.weekday * 24 + hour
    shape = week[knot] + (week[(knot + 1) % len(week)] - week[knot]) * (local.hour - hour)
    mood = (
        0.5 * noise.smooth(seed, f"{site.key}/mood", 14_000, seconds)
        + 0.3 * noise.smooth(seed, f"{site.key}/process", 700, seconds)
        + 0.2 * noise.smooth(seed, f"{site.key}/machine", 190, seconds)
    )
    wanted: Floats = shape * (1.0 + load.fluctuation * mood)
    return wanted
