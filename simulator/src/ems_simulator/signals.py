"""From the physics to what the instruments of a site show: a value in its unit for each point key.

Instruments add nothing that would contradict the powers: S² = P² + Q², the currents are S over the voltages, the
power factor is |P| / S. Powers stay whole watts, so the balance holds in the registers too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ems_simulator import noise
from ems_simulator.noise import Floats, Ints
from ems_simulator.physics import Samples, Setpoints
from ems_simulator.plant import COOLING, HEATING, OFF, state_of_charge, stored_energy
from ems_simulator.sites import Site

Values = NDArray[np.int64] | Floats
JOULES_PER_WH = 3600
FULL_DUCT_PRESSURE = 400.0
"""Pa at full speed; it goes with the square of it."""


def signals(site: Site, seed: int, at: Samples, setpoints: Setpoints) -> dict[str, Values]:
    """Point key -> one value for each of the samples' seconds. `reads` is not physics and not here."""
    voltages = _voltages(site, seed, at.seconds)
    frequency = site.grid.frequency + 0.02 * noise.smooth(seed, "mains", 97, at.seconds)
    tangent = np.sqrt(1.0 / site.load.power_factor**2 - 1.0)
    reactive = np.rint(at.load * tangent * (1.0 + 0.04 * noise.smooth(seed, f"{site.key}/reactive", 450, at.seconds)))
    found: dict[str, Values] = {}
    for key, power in (("grid_meter", at.grid), ("load_meter", at.load)):
        found |= dict(_meter(key, power, reactive, voltages, _shares(site, seed, at.seconds)))
        found[f"{key}.frequency"] = np.round(frequency, 3)
    found["grid_meter.energy_import"] = at.energy["imported"] // JOULES_PER_WH
    found["grid_meter.energy_export"] = at.energy["exported"] // JOULES_PER_WH
    found["load_meter.energy_import"] = at.energy["load"] // JOULES_PER_WH
    found["load_meter.energy_export"] = np.zeros_like(at.seconds)
    found |= dict(_inverter(site, seed, at))
    found |= dict(_battery(site, seed, at, setpoints))
    found |= dict(_hvac(site, seed, at, setpoints))
    found |= dict(_air_handler(site, found, at))
    return found


def _voltages(site: Site, seed: int, seconds: Ints) -> list[Floats]:
    nominal = site.grid.voltage
    return [
        np.round(
            nominal * (1.0 + 0.011 * noise.smooth(seed, f"{site.key}/voltage/{phase}", 1_900, seconds))
            + nominal * 0.0012 * noise.smooth(seed, f"{site.key}/flicker/{phase}", 7, seconds),
            1,
        )
        for phase in (1, 2, 3)
    ]  # fmt: skip


def _shares(site: Site, seed: int, seconds: Ints) -> list[Floats]:
    """How the apparent power splits over the phases; they add up to 1."""
    raw = [1.0 + 0.05 * noise.smooth(seed, f"{site.key}/phase/{phase}", 800, seconds) for phase in (1, 2, 3)]
    return [share / sum(raw) for share in raw]


def _meter(
    key: str, power: Ints, reactive: Floats, voltages: list[Floats], shares: list[Floats]
) -> Iterator[tuple[str, Values]]:
    apparent = np.hypot(power, reactive)
    for phase, (voltage, share) in enumerate(zip(voltages, shares, strict=True), start=1):
        yield f"{key}.voltage_l{phase}", voltage
        yield f"{key}.current_l{phase}", apparent * share / voltage
    yield f"{key}.active_power", power
    yield f"{key}.reactive_power", reactive
    yield f"{key}.power_factor", np.where(apparent > 0.0, np.abs(power) / np.maximum(apparent, 1.0), 1.0)


def _inverter(site: Site, seed: int, at: Samples) -> Iterator[tuple[str, Values]]:
    part = at.pv / (site.pv.inverter_kw * 1000.0)
    awake = at.irradiance > 0.0
    ripple = 1.0 + 0.004 * noise.smooth(seed, f"{site.key}/dc", 11, at.seconds)
    voltage = np.where(awake, np.round(site.pv.dc_voltage * (1.06 - 0.06 * part) * ripple, 1), 0.0)
    yield "pv_inverter.active_power", at.pv
    yield "pv_inverter.dc_voltage", voltage
    yield "pv_inverter.dc_current", np.where(awake, at.pv / 0.97 / np.maximum(voltage, 1.0), 0.0)
    yield "pv_inverter.energy_total", at.energy["pv"] // JOULES_PER_WH
    yield "pv_inverter.temperature", at.outdoor + 6.0 + 24.0 * part
    yield "pv_inverter.status", np.where(at.pv > 0, 2, np.where(awake, 1, 0))
    yield "pv_inverter.irradiance", at.irradiance


def _battery(site: Site, seed: int, at: Samples, setpoints: Setpoints) -> Iterator[tuple[str, Values]]:
    battery = site.battery
    if battery is None:
        return
    charged, discharged = at.energy["charged"], at.energy["discharged"]
    soc = state_of_charge(battery, stored_energy(battery, charged.astype(np.float64), discharged.astype(np.float64)))
    part = at.battery / (battery.power_kw * 1000.0)
    voltage = np.round(battery.voltage * (0.94 + 0.0012 * soc - 0.015 * part), 1)
    yield "battery.active_power", at.battery
    yield "battery.state_of_charge", soc
    yield "battery.state_of_health", np.full(len(soc), 98.4)
    yield "battery.voltage", voltage
    yield "battery.current", at.battery / voltage
    yield "battery.temperature", (
        23.0 + 0.1 * (at.outdoor - 15.0) + 2.5 * np.abs(part)
        + 0.4 * noise.smooth(seed, f"{site.key}/cells", 2_400, at.seconds)
    )  # fmt: skip
    yield "battery.status", np.where(at.battery > 0, 3, np.where(at.battery < 0, 2, 1))
    yield "battery.energy_charged", charged // JOULES_PER_WH
    yield "battery.energy_discharged", discharged // JOULES_PER_WH
    yield "battery.power_setpoint", np.full(len(soc), setpoints.battery)


def _hvac(site: Site, seed: int, at: Samples, setpoints: Setpoints) -> Iterator[tuple[str, Values]]:
    hvac = site.hvac
    if hvac is None:
        return
    running = at.hvac_mode != OFF
    lift = np.where(at.hvac_mode == HEATING, 16.0, np.where(at.hvac_mode == COOLING, -10.0, 0.0))
    draught = 0.3 * noise.smooth(seed, f"{site.key}/draught", 240, at.seconds)
    yield "hvac.active_power", at.hvac
    yield "hvac.supply_temperature", at.room + lift * at.hvac_level + np.where(running, draught, 0.0)
    yield "hvac.return_temperature", at.room + np.where(running, 0.4 + draught / 2.0, 0.0)
    yield "hvac.outdoor_temperature", at.outdoor
    yield "hvac.room_temperature", at.room
    yield "hvac.fan_speed", np.where(running, np.rint(30.0 + 70.0 * at.hvac_level), 0.0)
    yield "hvac.status", at.hvac_mode
    yield "hvac.energy_total", at.energy["hvac"] // JOULES_PER_WH
    yield (
        "hvac.temperature_setpoint",
        np.full(len(at.room), hvac.setpoint if setpoints.room is None else setpoints.room),
    )


def _air_handler(site: Site, found: dict[str, Values], at: Samples) -> Iterator[tuple[str, Values]]:
    """The air side of the HVAC unit: the same temperatures, and what moves the air."""
    if site.hvac is None or not site.air_handler:
        return
    for name in ("supply_temperature", "return_temperature", "outdoor_temperature", "room_temperature", "fan_speed"):
        yield f"ahu.{name}", found[f"hvac.{name}"]
    fan = found["hvac.fan_speed"]
    yield "ahu.heating_valve", np.where(at.hvac_mode == HEATING, np.rint(100.0 * at.hvac_level), 0.0)
    yield "ahu.cooling_valve", np.where(at.hvac_mode == COOLING, np.rint(100.0 * at.hvac_level), 0.0)
    yield "ahu.duct_pressure", np.rint(FULL_DUCT_PRESSURE * (fan / 100.0) ** 2)
    yield "ahu.fan_running", np.where(fan > 0, 1, 0)
    yield "ahu.filter_alarm", np.zeros(len(at.room), np.int64)
    yield "ahu.mode", at.hvac_mode + 1
    yield "ahu.energy_total", found["hvac.energy_total"]
    yield "ahu.room_setpoint", found["hvac.temperature_setpoint"]
    yield "ahu.enable", np.ones(len(at.room), np.int64)
