"""A profile that a device makes by itself: YAML text for what it has implemented.

Measurements, counters and states, and the setpoints of the control models, in the words of the other profiles; a person
reads it, takes out what nobody will look at, and saves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ems_edge.drivers.sunspec_models import Place
from ems_edge.drivers.sunspec_scan import Survey

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _()/-]*\Z")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_INDEX = re.compile(r"\[(\d+)\]")
_KEY_LENGTH = 40
_STATES_MOST = 0xFFFE

UNITS: dict[str, tuple[str, float]] = {
    "W": ("W", 1),
    "VA": ("VA", 1),
    "var": ("var", 1),
    "Var": ("var", 1),
    "V": ("V", 1),
    "A": ("A", 1),
    "Hz": ("Hz", 1),
    "Wh": ("Wh", 1),
    "WH": ("Wh", 1),
    "kWh": ("Wh", 1000),
    "VAh": ("VAh", 1),
    "varh": ("varh", 1),
    "Varh": ("varh", 1),
    "Ah": ("Ah", 1),
    "AH": ("Ah", 1),
    "kAH": ("Ah", 1000),
    "C": ("°C", 1),
    "Pct": ("%", 1),
    "W/m2": ("W/m²", 1),
    "W/m^2": ("W/m²", 1),
    "Secs": ("s", 1),
    "m/s": ("m/s", 1),
    "mps": ("m/s", 1),
    "HPa": ("Pa", 100),
}
"""SunSpec's unit -> ours, and the factor. Whatever begins with % is %; any other has no unit here."""
_COUNTED = frozenset({"Wh", "VAh", "varh", "Ah"})

KEYS = {
    "W": "active_power",
    "VA": "apparent_power",
    "VAr": "reactive_power",
    "VAR": "reactive_power",
    "Var": "reactive_power",
    "PF": "power_factor",
    "Hz": "frequency",
    "A": "current",
    "WH": "energy_total",
    "TotWhImp": "energy_import",
    "TotWhExp": "energy_export",
    "TotWhInj": "energy_export",
    "TotWhAbs": "energy_import",
    "DCA": "dc_current",
    "DCV": "dc_voltage",
    "DCW": "dc_power",
    "DCWH": "dc_energy",
    "TmpCab": "temperature",
    "SoC": "state_of_charge",
    "SoH": "state_of_health",
    "ChaState": "state_of_charge",
    "St": "status",
}
KEYS |= {
    f"{kind}ph{phase}": f"{word}_l{line}"
    for kind, word in (("A", "current"), ("PhV", "voltage"), ("W", "active_power"))
    for phase, line in zip("ABC", "123", strict=True)
}
KEYS |= {
    f"{kind}L{line}": f"{word}_l{line}"
    for kind, word in (("A", "current"), ("V", "voltage"), ("W", "active_power"))
    for line in "123"
}

SETPOINTS: dict[tuple[int, str], tuple[str | None, float | None, float | None]] = {
    (123, "WMaxLimPct"): ("WMaxLim_Ena", 0, 100),
    (123, "OutPFSet"): ("OutPFSet_Ena", -1, 1),
    (123, "Conn"): (None, 0, 1),
    (124, "StorCtl_Mod"): (None, 0, 3),
    (124, "MinRsvPct"): (None, 0, 100),
    (124, "InWRte"): (None, -100, 100),
    (124, "OutWRte"): (None, -100, 100),
    (704, "WMaxLimPct"): ("WMaxLimPctEna", 0, 100),
    (704, "WSet"): ("WSetEna", None, None),
    (704, "WSetPct"): ("WSetEna", -100, 100),
    (704, "VarSet"): ("VarSetEna", None, None),
}
"""(model, point) -> the point that switches it on, minimum, maximum. Nothing else is made writable by itself."""


def make_profile(profile: str, survey: Survey) -> str:
    """The text of a profile of this name. Raises ValueError where the device has nothing that could be a point."""
    maker, device = survey.says.get("maker", "SunSpec"), survey.says.get("device", "device")
    models = ", ".join(str(one.found.model) for one in survey.models)
    version = f", version {survey.says['version']}" if "version" in survey.says else ""
    lines = [
        f"# Made by scanning {_clean(maker)} {_clean(device)}{_clean(version)}: SunSpec models {models}.",
        f"profile: {profile}",
        f"name: {_quoted(f'{maker} {device}')}",
        "driver: sunspec",
        f"source: {_quoted(f'what the device itself says over SunSpec{version}')}",
        "points:",
    ]
    taken: set[str] = set()
    for one in survey.models:
        for place in one.implemented():
            lines += _point(one.found.model, place, taken)
    if not taken:
        raise ValueError(f"the device has nothing to read in its models {models}")
    return "\n".join(lines) + "\n"


def _point(model: int, place: Place, taken: set[str]) -> Iterator[str]:
    point = place.point
    setpoint = SETPOINTS.get((model, place.path))
    if point.name in ("ID", "L") or model == 1 or (point.writable and setpoint is None):
        return
    unit, scale = _unit(point.units)
    states = {one.value: one.name.lower() for one in point.symbols if 0 <= one.value <= _STATES_MOST}
    kind = "gauge"
    if point.type.startswith("acc") or (unit in _COUNTED and point.size > 1):
        kind = "register"
    elif point.type.startswith(("enum", "bitfield")):
        kind = "state"
    index = "".join(f"_{number}" for number in _INDEX.findall(place.path))
    name = f"{point.label or point.name}{index.replace('_', ' ')}"
    yield f"  - key: {_key(model, place, index, taken)}"
    yield f"    name: {_quoted(name)}"
    yield f"    unit: {_quoted(unit)}"
    yield f"    models: [{model}]"
    yield f"    point: {_quoted(place.path)}"
    if kind != "gauge":
        yield f"    kind: {kind}"
    if scale != 1:
        yield f"    scale: {scale:g}"
    if kind == "state" and states and not point.bits:
        yield f"    states: {{{', '.join(f'{number}: {_quoted(word)}' for number, word in states.items())}}}"
    if setpoint is not None:
        yield "    writable: true"
        limits = ("enable", "minimum", "maximum")
        yield from (f"    {word}: {value}" for word, value in zip(limits, setpoint, strict=True) if value is not None)


def _unit(units: str) -> tuple[str, float]:
    return UNITS.get(units, ("%" if units.strip().startswith("%") else "", 1))


def _key(model: int, place: Place, index: str, taken: set[str]) -> str:
    word = KEYS.get(place.point.name) or _NOT_WORDS.sub("_", (place.point.label or place.point.name).lower()).strip("_")
    if not word[:1].isalpha():
        word = f"point_{word}"
    key = word[:_KEY_LENGTH].rstrip("_") + index
    if key in taken:
        key = f"{key}_{model}"
    number = 2
    while key in taken:
        key, number = f"{word[:_KEY_LENGTH]}_{model}_{number}", number + 1
    taken.add(key)
    return key


def _quoted(text: str) -> str:
    return text if _PLAIN.match(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
