"""The objects of a BACnet device, made from the list of its points; bacpypes3 knows how they behave."""

from __future__ import annotations

from typing import Any

from bacpypes3.basetypes import BinaryPV, Reliability, StatusFlags
from bacpypes3.local.analog import AnalogInputObject, AnalogValueObjectCmd
from bacpypes3.local.binary import BinaryInputObject
from bacpypes3.local.cmd import Commandable
from bacpypes3.local.cov import GenericCriteria
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.object import Object
from bacpypes3.object import (
    AccumulatorObject,
    BinaryValueObject,
    MultiStateValueObject,
    PositiveIntegerValueObject,
)

from ems_simulator.objects import ANALOG, ObjectPoint

VENDOR = 999
"""For what no maker made."""
_FAULT_BIT = 1


class _BinaryValue(Commandable, Object, BinaryValueObject):  # type: ignore[misc]  # bacpypes3 has no types
    _cov_criteria = GenericCriteria


class _MultiStateValue(Object, MultiStateValueObject):  # type: ignore[misc]
    _cov_criteria = GenericCriteria


class _Accumulator(Object, AccumulatorObject):  # type: ignore[misc]
    """Counters only ever change: nobody is told of it."""


class _PositiveIntegerValue(Object, PositiveIntegerValueObject):  # type: ignore[misc]
    """As the counters."""


_CLASSES: dict[str, Any] = {
    "analog-input": AnalogInputObject,
    "analog-value": AnalogValueObjectCmd,
    "binary-input": BinaryInputObject,
    "binary-value": _BinaryValue,
    "multi-state-value": _MultiStateValue,
    "accumulator": _Accumulator,
    "positive-integer-value": _PositiveIntegerValue,
}


def device_object(instance: int, name: str, model: str) -> DeviceObject:
    return DeviceObject(
        objectIdentifier=("device", instance),
        objectName=name,
        modelName=model,
        vendorName="SimTestLab",
        vendorIdentifier=VENDOR,
        firmwareRevision="1.0",
    )


def made(point: ObjectPoint, value: float, limits: tuple[float, float] | None) -> Any:
    """The object of a point. `limits` are those of a writable one; its value while nobody commands it is `value`."""
    fields: dict[str, Any] = {
        "objectIdentifier": (point.object, point.instance),
        "objectName": point.label,
        "description": point.name,
        "presentValue": _typed(point, value),
        "statusFlags": [0, 0, 0, 0],
        "eventState": "normal",
        "outOfService": False,
        "reliability": "no-fault-detected",
    }
    if point.object in ANALOG:
        fields |= {"units": point.units, "covIncrement": point.increment or 0.0}
        if limits:
            fields |= {"minPresValue": limits[0], "maxPresValue": limits[1]}
    elif point.object.startswith("binary"):
        fields |= {"inactiveText": point.states[0], "activeText": point.states[1]}
        if point.object == "binary-input":
            fields["polarity"] = "normal"
    elif point.states:
        fields |= {"numberOfStates": len(point.states), "stateText": list(point.states)}
    elif point.object == "accumulator":
        fields |= {"units": point.units, "maxPresValue": 2**32 - 1, "scale": {"integerScale": 0}}
    else:
        fields["units"] = point.units
    return _CLASSES[point.object](**fields)


def show(shown: Any, point: ObjectPoint, value: float | None, *, held: bool) -> None:
    """Let the object show this value, or a fault. A commanded object shows its commands, unless it is `held`."""
    fault = value is None
    if bool(shown.statusFlags[_FAULT_BIT]) != fault:
        shown.reliability = Reliability("no-sensor" if fault else "no-fault-detected")
        shown.statusFlags = StatusFlags([0, int(fault), 0, 0])
    if not isinstance(shown, Commandable):
        if value is not None and number(shown) != value:
            shown.presentValue = _typed(point, value)
    elif held and value is not None:
        super(Commandable, shown).__setattr__("presentValue", _typed(point, value))
    elif not held:
        shown.recalculating()


def rest(shown: Any, point: ObjectPoint, value: float) -> None:
    """What a commanded object shows while nobody commands it."""
    if float(shown.relinquishDefault) != value:
        shown.relinquishDefault = _typed(point, value)


def number(shown: Any) -> float | None:
    """What it shows now; None for a fault."""
    return None if shown.statusFlags[_FAULT_BIT] else float(shown.presentValue)


def commanded(shown: Any) -> float | None:
    """The strongest command in force, if there is one."""
    return None if shown.currentCommandPriority.unsigned is None else float(shown.presentValue)


def _typed(point: ObjectPoint, value: float) -> Any:
    if point.object in ANALOG:
        return float(value)
    whole = round(value)
    return BinaryPV(whole) if point.object.startswith("binary") else max(whole, int(bool(point.states)))
