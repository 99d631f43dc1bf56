"""One write to one device, and what it says of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ems_contract.points import Reason

from ems_edge.driver import WritableDevice, WriteError
from ems_edge.setpoints_limits import Setpoint

READ_BACK_AFTER = (0.0, 0.05, 0.2, 0.75)
"""When a written value is read back, s after the one before; the first that is the value counts. Many devices take it
over a moment after they acknowledged it."""


class Ending(StrEnum):
    IN_FORCE = "in_force"
    REFUSED = "refused"
    SILENT = "silent"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Done:
    """`read_back` is what the device said last, where it said anything."""

    ending: Ending
    read_back: float | None = None
    detail: str = ""


async def write(device: WritableDevice, setpoint: Setpoint, value: float | None, taken: Callable[[], None]) -> Done:
    """Write, call `taken` when the device has acknowledged it, read back. Raises nothing for what a device does."""
    try:
        await device.write(setpoint.name, value)
    except WriteError as error:
        return Done(Ending.REFUSED if error.refused else Ending.SILENT, detail=str(error))
    except ValueError as error:
        return Done(Ending.REFUSED, detail=str(error))
    taken()
    done = Done(Ending.SILENT)
    for pause in READ_BACK_AFTER:
        await asyncio.sleep(pause)
        done = await confirm(device, setpoint, value)
        if done.ending is Ending.IN_FORCE:
            break
    return done


async def confirm(device: WritableDevice, setpoint: Setpoint, value: float | None) -> Done:
    """What the device says now. A point that was given up (`value` None) may say anything."""
    read = await device.read_back(setpoint.name)
    if isinstance(read, Reason):
        # A value outside what the profile takes for possible, or none, is an answer all the same.
        ending = Ending.DIFFERS if read in (Reason.OUT_OF_RANGE, Reason.NO_VALUE) else Ending.SILENT
        return Done(Ending.IN_FORCE if value is None else ending, detail=f"{setpoint.key} read back: {read.value}")
    if value is None or setpoint.same(value, read):
        return Done(Ending.IN_FORCE, read)
    return Done(Ending.DIFFERS, read, f"{setpoint.key} is {read:g} and not {value:g}")
