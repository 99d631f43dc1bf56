"""The two things on a site that have a memory: the battery and the rooms. One step of each, pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ems_simulator.noise import Floats
from ems_simulator.sites import Battery, Hvac

OFF, HEATING, COOLING, VENTILATING = range(4)
"""What an HVAC unit does, as its `status` register says it."""

LEAST_POWER = 0.01
SETBACK = 4.0
"""K that an unoccupied room may drift from its setpoint."""
DEADBAND = 0.5
FULL_POWER_ERROR = 1.5
"""K beyond the band at which the unit runs at full power."""


def stored_energy[N: (float, Floats)](battery: Battery, charged: N, discharged: N) -> N:
    """J in the cells, from the two counters (J on the AC side): nothing else moves it."""
    initial = battery.capacity_kwh * 3.6e6 * battery.initial_soc / 100.0
    return initial + charged * battery.charge_efficiency - discharged / battery.discharge_efficiency


def state_of_charge[N: (float, Floats)](battery: Battery, stored: N) -> N:
    """In %."""
    return stored / (battery.capacity_kwh * 36_000.0)


def battery_power(battery: Battery, stored: float, wanted: float, seconds: int) -> int:
    """The W (+ is discharge) that the battery can hold for `seconds` when `wanted` is asked of it.

    Never beyond its power, and never so long that the state of charge would leave its limits. It does not run
    below a hundredth of its power.
    """
    limit = battery.power_kw * 1000.0
    capacity = battery.capacity_kwh * 3.6e6
    if wanted >= 0.0:
        room = (stored - capacity * battery.minimum_soc / 100.0) * battery.discharge_efficiency / seconds
        power = min(wanted, limit, room)
        return int(power) if power >= limit * LEAST_POWER else 0
    room = (capacity * battery.maximum_soc / 100.0 - stored) / battery.charge_efficiency / seconds
    power = min(-wanted, limit, room)
    return -int(power) if power >= limit * LEAST_POWER else 0


def without_power(hvac: Hvac) -> Hvac:
    """The same rooms, neither heated nor cooled; where nobody is in them either, the unit is off."""
    return msgspec.structs.replace(hvac, heating_kw=0.0, cooling_kw=0.0)


class HvacStep(NamedTuple):
    """`power` in W (electrical), `level` the share of the thermal capacity, `room` in °C after the step."""

    power: int
    mode: int
    level: float
    room: float


def hvac_step(
    hvac: Hvac, room: float, outdoor: float, gains: float, occupied: bool, setpoint: float, seconds: int
) -> HvacStep:
    """Proportional control around the setpoint, one lump of heat capacity. `gains` in W of heat in the rooms."""
    margin = DEADBAND if occupied else SETBACK
    cold = setpoint - margin - room
    warm = room - setpoint - margin
    heat = gains + hvac.loss_kw_per_k * 1000.0 * (outdoor - room)
    level = 0.0
    power = 0.0
    mode = OFF
    if cold > 0.0 and hvac.heating_kw > 0.0:
        mode = HEATING
        level = min(1.0, cold / FULL_POWER_ERROR)
        thermal = hvac.heating_kw * 1000.0 * level
        power = thermal / hvac.heating_cop
        heat += thermal
    elif warm > 0.0 and hvac.cooling_kw > 0.0:
        mode = COOLING
        level = min(1.0, warm / FULL_POWER_ERROR)
        thermal = hvac.cooling_kw * 1000.0 * level
        power = thermal / hvac.cooling_cop
        heat -= thermal
    elif occupied:
        mode = VENTILATING
    if mode != OFF:
        power += hvac.fan_kw * 1000.0 * (0.3 + 0.7 * level)
    room += heat * seconds / (hvac.heat_capacity_kwh_per_k * 3.6e6)
    return HvacStep(int(power), mode, level, room)
