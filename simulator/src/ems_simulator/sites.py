"""The simulated sites, as data: `data/sites/*.yaml`. Powers in kW here, in W everywhere else.

Raises DataFileError for a file that is wrong and UnknownSiteError for a name that is none.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from ems_simulator.datafile import DataFileError, load

DEMO_SITES = ("factory", "office", "solar_farm", "warehouse")
"""In the order of their Modbus ports."""


class UnknownSiteError(ValueError):
    """There is no site of this name; the message lists those there are."""


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nominal phase voltage in V and frequency in Hz."""

    voltage: float
    frequency: float


class Climate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Outdoor temperature: yearly mean and amplitudes over the year and the day, °C. `cloudiness` in 0..1."""

    mean: float
    annual: float
    daily: float
    cloudiness: float


class Pv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tilt` from horizontal and `azimuth` from north in degrees; `dc_voltage` at full power."""

    peak_kw: float
    inverter_kw: float
    tilt: float
    azimuth: float
    dc_voltage: float


class Trade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`kw` between two local hours of the day."""

    kw: float
    hours: tuple[float, float]


class Battery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """State of charge in %; efficiencies are AC to cells and cells to AC.

    It stores what PV gives beyond the load and gives it back; `night_charge` buys from the grid besides, and
    `evening_export` sells to it.
    """

    capacity_kwh: float
    power_kw: float
    minimum_soc: float
    maximum_soc: float
    voltage: float
    charge_efficiency: float = 0.96
    discharge_efficiency: float = 0.96
    initial_soc: float = 50.0
    night_charge: Trade | None = None
    evening_export: Trade | None = None


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Consumption without HVAC: kW at each of 24 local hours. `fluctuation` and `jitter` are shares of it."""

    power_factor: float
    fluctuation: float
    jitter: float
    weekday: tuple[float, ...]
    saturday: tuple[float, ...]
    sunday: tuple[float, ...]


class Hvac(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thermal capacities in kW; `gains` is the share of the load that heats the rooms; `occupied` local hours."""

    setpoint: float
    minimum_setpoint: float
    maximum_setpoint: float
    heating_kw: float
    cooling_kw: float
    fan_kw: float
    heating_cop: float
    cooling_cop: float
    loss_kw_per_k: float
    heat_capacity_kwh_per_k: float
    gains: float
    occupied: tuple[float, float]


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site. It has the devices for which it has data."""

    key: str
    name: str
    timezone: str
    latitude: float
    longitude: float
    grid: Grid
    climate: Climate
    pv: Pv
    load: Load
    battery: Battery | None = None
    hvac: Hvac | None = None
    air_handler: bool = False
    """The HVAC unit's air side is on BACnet/IP besides."""

    @property
    def devices(self) -> tuple[Device, ...]:
        """In the order of their unit ids."""
        present = {"battery": self.battery is not None, "hvac": self.hvac is not None, "ahu": self.air_handler}
        return tuple(device for device in DEVICES if present.get(device.key, True))


class Device(msgspec.Struct, frozen=True):
    """A Modbus unit of a site, `profile` names its register map; or a BACnet device, whose instance is its `unit`."""

    key: str
    unit: int
    profile: str
    protocol: Literal["modbus", "bacnet"] = "modbus"


DEVICES = (
    Device("grid_meter", 1, "stl_meter"),
    Device("pv_inverter", 2, "stl_inverter"),
    Device("battery", 3, "stl_battery"),
    Device("load_meter", 4, "stl_meter"),
    Device("hvac", 5, "stl_hvac"),
    Device("ahu", 2001, "stl_ahu", "bacnet"),
)


@cache
def site(key: str) -> Site:
    """The site of this key. Raises UnknownSiteError, DataFileError."""
    if key not in DEMO_SITES:
        raise UnknownSiteError(f"there is no site {key!r}; choose from {', '.join(DEMO_SITES)}")
    source = resources.files("ems_simulator") / "data" / "sites" / f"{key}.yaml"
    found = load(source, Site)
    check(found, source.name)
    return found


def check(site: Site, file: str) -> None:
    """What the types cannot say. Raises DataFileError."""
    for day in ("weekday", "saturday", "sunday"):
        hours: tuple[float, ...] = getattr(site.load, day)
        if len(hours) != 24 or min(hours) <= 0:
            raise DataFileError(f"{file}: load.{day}: write 24 positive numbers, kW at each hour of the local day")
    try:
        zoneinfo.ZoneInfo(site.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise DataFileError(
            f"{file}: timezone: {site.timezone!r} is unknown; write an IANA name such as Europe/Berlin"
        ) from None
    if not (-90 <= site.latitude <= 90 and -180 <= site.longitude <= 180):
        raise DataFileError(f"{file}: latitude, longitude: degrees, -90..90 and -180..180, are expected")
    if site.battery and not 0 <= site.battery.minimum_soc < site.battery.maximum_soc <= 100:
        raise DataFileError(f"{file}: battery.minimum_soc, maximum_soc: 0 <= minimum < maximum <= 100 is expected")
    if site.hvac and not site.hvac.minimum_setpoint <= site.hvac.setpoint <= site.hvac.maximum_setpoint:
        raise DataFileError(f"{file}: hvac.setpoint: write a value between minimum_setpoint and maximum_setpoint")
    if site.air_handler and not site.hvac:
        raise DataFileError(f"{file}: air_handler: there is no hvac whose air it could move; add one")
