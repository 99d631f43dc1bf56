"""Profiles of SunSpec devices: points by model and name; the device itself says where they are and how they are scaled.

profile: acme_inverter
name: ACME inverter
driver: sunspec
points:
  - {key: active_power, name: Active power, unit: W, models: [101, 102, 103], point: W}
  - {key: string_power_1, name: Power of string 1, unit: W, models: [160], point: "module[1].DCW"}
  - key: power_limit
    name: Power limit
    unit: "%"
    models: [123]
    point: WMaxLimPct
    enable: WMaxLim_Ena         # written 1 after the value; 0 gives the value up
    writable: true
"""

from __future__ import annotations

from typing import Literal

from ems_edge.decode import Scaling
from ems_edge.drivers.sunspec import SunSpecSource
from ems_edge.drivers.sunspec_models import Place, names, place
from ems_edge.problems import Document, did_you_mean
from ems_edge.profile_common import CommonPoint, CommonProfile


class SunSpecPoint(CommonPoint, frozen=True, kw_only=True):
    """`models`: in the first of them that the device has. `scale` and `offset` come after the device's own factor."""

    models: list[int]
    point: str
    enable: str | None = None


class SunSpecProfile(CommonProfile, frozen=True, kw_only=True):
    driver: Literal["sunspec"]
    points: list[SunSpecPoint]

    def all_points(self) -> list[SunSpecPoint]:
        return self.points

    def sources(self) -> tuple[SunSpecSource, ...]:
        return tuple(
            SunSpecSource(
                point.key,
                tuple(point.models),
                point.point,
                Scaling(**point.scaling()),
                point.writable,
                point.enable,
            )
            for point in self.points
        )

    def check(self, document: Document) -> None:
        for number, point in enumerate(self.points):
            at = f"points[{number}]"
            if not point.models:
                raise document.error(
                    f"{at}.models", "names no model", "write those that may have the point: [101, 103]"
                )
            if point.enable is not None and not point.writable:
                raise document.error(f"{at}.enable", "is for writable points", "write writable: true, or leave it out")
            for model in point.models:
                found = _place(document, f"{at}.point", model, point.point)
                if point.writable and not found.point.writable:
                    problem = f"nothing can be written to {point.point} of model {model}"
                    raise document.error(
                        f"{at}.writable", problem, "leave it out, or use a setpoint of a control model"
                    )
                if point.enable is not None:
                    _place(document, f"{at}.enable", model, point.enable)


def _place(document: Document, field: str, model: int, path: str) -> Place:
    try:
        return place(model, path)
    except LookupError as error:
        known = names(model)
        remedy = did_you_mean(path, known) if known else "use the number of a SunSpec model, such as 103"
        raise document.error(field, str(error.args[0]), remedy) from None
