"""Derived points, reporting and rules in a configuration: what is taken, and what a mistake says."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ems_contract.points import Kind
from ems_contract.provisioning import EdgeConfig
from ems_edge.bootstrap import check_bootstrap
from ems_edge.config import Plan, check_config
from ems_edge.expression import parse
from ems_edge.problems import ConfigError, Document, parse_yaml
from ems_edge.profile import Profiles


def _device(key: str, profile: str, unit: int, **fields: Any) -> dict[str, Any]:
    connection = {"host": "127.0.0.1", "port": 5020, "unit": unit}
    return {"key": key, "name": key, "driver": "modbus", "profile": profile, "connection": connection} | fields


CONFIG: dict[str, Any] = {
    "revision": "7",
    "poll_interval": 1.0,
    "devices": [
        _device("grid_meter", "stl_meter", 1),
        _device("battery", "stl_battery", 3),
        _device("hvac", "stl_hvac", 5, poll_interval=30),
    ],
    "setpoints": [{"point": "battery.power_setpoint", "minimum": -200000, "maximum": 200000, "default": 0}],
    "derived": [
        {"key": "site.share", "name": "Share", "unit": "%", "expression": "100 * site.other / grid_meter.active_power"},
        {
            "key": "site.other",
            "name": "Other",
            "unit": "W",
            "expression": "grid_meter.active_power - hvac.active_power",
        },
    ],
    "reporting": [{"points": ["hvac.*", "site.other"], "deadband": 10, "deadband_percent": 1, "heartbeat": 300}],
    "rules": [
        {
            "kind": "limit",
            "key": "peak_limit",
            "name": "Peak",
            "point": "battery.power_setpoint",
            "input": "grid_meter.active_power",
            "maximum": 180000,
            "low": 0,
            "high": 200000,
            "priority": 5,
        },
        {
            "kind": "schedule",
            "key": "night",
            "name": "Night",
            "point": "hvac.temperature_setpoint",
            "windows": [{"start": "22:00", "end": "24:00", "value": 16, "days": [0, 6]}],
        },
        {
            "kind": "hysteresis",
            "key": "cooling",
            "name": "Cooling",
            "point": "battery.power_setpoint",
            "input": "hvac.room_temperature",
            "on_at": 25,
            "off_at": 23,
            "on_value": 10,
            "stale_after": 90,
        },
    ],
}
REMOVED = object()


def _check(config: dict[str, Any]) -> Plan:
    return check_config(Document("edge.yaml", config), Profiles())


def _changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(CONFIG)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = data
    for step in steps:
        inner = inner[step]
    if value is REMOVED:
        del inner[last]
    elif isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return data


def test_what_is_computed_and_what_rules_do_are_points_like_others() -> None:
    plan = _check(CONFIG)
    made = {point.key: point for point in plan.points if not point.device}
    assert set(made) == {
        "site.share",
        "site.other",
        "peak_limit.active",
        "peak_limit.output",
        "night.active",
        "night.output",
        "cooling.active",
        "cooling.output",
    }
    assert (made["peak_limit.active"].kind, made["peak_limit.active"].states) == (
        Kind.STATE,
        {"0": "at rest", "1": "active"},
    )
    assert (made["peak_limit.output"].unit, made["night.output"].unit) == ("W", "°C")
    assert plan.sources == {"grid_meter", "battery", "hvac", "site", "peak_limit", "night", "cooling"}


def test_derived_points_come_after_those_they_are_made_of() -> None:
    assert [one.key for one in _check(CONFIG).derived] == ["site.other", "site.share"]


def test_a_rule_that_is_switched_off_is_checked_and_reported_but_not_run() -> None:
    plan = _check(_changed("rules.0.enabled", False))
    assert [task.rule.key for task in plan.tasks] == ["night", "cooling"]
    assert "peak_limit.active" in {point.key for point in plan.points}
    with pytest.raises(ConfigError, match=r"battery\.power_setpont"):
        _check(_changed("rules.0", CONFIG["rules"][0] | {"enabled": False, "point": "battery.power_setpont"}))


NAN = float("nan")


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        ("derived.1.expression", "grid.active_power", "", "there is no point 'grid.active_power'; did you mean"),
        ("derived.1.expression", "grid_meter.active_power +", "", "is not arithmetic"),
        ("derived.1.expression", "1 + 1", "", "mentions no point"),
        ("derived.1.expression", "peak_limit.output", "", "there is no point 'peak_limit.output'"),
        ("derived.1.expression", "site.share", "derived[0].expression", "site.share -> site.other -> site.share"),
        ("derived.1.expression", "site.other * 2", "", "is made of itself: site.other -> site.other"),
        ("derived.1.key", "site.share", "", "is also derived[0]"),
        ("derived.1.key", "Site Other", "", "lower-case words and dots"),
        ("derived.1.key", "battery.other", "", "a word of its own"),
        ("derived.1.unit", "kW", "", "not a unit"),
        ("derived.1.name", " ", "", "is empty"),
        ("derived.1.kind", "state", "", "write kind: gauge"),
        ("derived.1.kind", "guage", "", "did you mean 'gauge'?"),
        ("derived.1.expresion", "1", "", "did you mean 'expression'?"),
        ("reporting.0.points", [], "", "write keys"),
        ("reporting.0.points.1", "site.othr", "", "did you mean 'site.other'?"),
        ("reporting.0.points.1", "site other", "", "with * for any characters"),
        ("reporting.0.deadband", -1, "", "0 or more"),
        ("reporting.0.deadband_percent", NAN, "", "0 or more"),
        ("reporting.0.heartbeat", 0, "", "1 to 600 seconds"),
        ("reporting.0.heartbeat", 3600, "", "1 to 600 seconds"),
        ("reporting.0.window", 0.5, "", "1 to 600 seconds"),
        ("reporting.0.aggregate", "average", "", "use one of 'last', 'maximum'"),
        ("rules.1.key", "peak_limit", "", "is also rules[0]"),
        ("rules.1.key", "battery", "", "use another word"),
        ("rules.1.key", "site", "", "use another word"),
        ("rules.1.key", "9 to 5", "", "lower-case letters"),
        ("rules.1.name", "", "", "what people should read"),
        ("rules.1.kind", "shedule", "", "stands there"),
        ("rules.1.point", "hvac.setpoint", "", "did you mean 'hvac.temperature_setpoint'?"),
        ("rules.1.point", "hvac.room_temperature", "", "is not writable"),
        ("rules.1.priority", 0, "", "1 (the strongest) to 16"),
        ("rules.2.priority", 5, "", "also that of rules[0]"),
        ("rules.1.windows", [], "", "add at least one"),
        ("rules.1.windows.0.start", "24:00", "", "'07:30'"),
        ("rules.1.windows.0.end", "7 pm", "", "'07:30'"),
        ("rules.1.windows.0.days", [], "", "leave it out"),
        ("rules.1.windows.0.days", [0, 7], "", "0 (Monday) to 6"),
        ("rules.1.windows.0.value", 99, "", "above the maximum 40"),
        ("rules.1.windows.0.value", NAN, "", "is not a number"),
        ("rules.2.input", REMOVED, "", "is missing"),
        ("rules.2.input", "hvac.room", "", "there is no point 'hvac.room'; did you mean"),
        ("rules.2.input", "battery.power_setpoint", "", "is the point that the rule moves"),
        ("rules.2.off_at", 25, "", "turn on and off at once"),
        ("rules.2.on_at", NAN, "", "is not a number"),
        ("rules.2.on_value", 300000, "", "above the maximum 200000"),
        ("rules.2.off_value", 10, "", "is on_value too"),
        ("rules.2.minimum_on", -1, "", "is no time"),
        ("rules.2.stale_after", 20, "", "the 30 s from one read to the next"),
        ("rules.0.maximum", REMOVED, "", "is missing, and so is minimum"),
        ("rules.0.maximum", NAN, "", "is not a number"),
        ("rules.0.minimum", 180000, "", "leaves no room"),
        ("rules.0.margin", -1, "", "0 or more"),
        ("rules.0.effect", 0, "", "is 0"),
        ("rules.0.effect", 1, "rules[0].low", "turn the sign of effect"),
        ("rules.0.high", 250000, "", "above the maximum 200000 of battery.power_setpoint"),
        ("rules.0.low", -250000, "", "below the minimum -200000"),
        ("rules.0.low", 200000, "rules[0].high", "is not above low"),
        ("rules.0.low", 200000 - 1e-9, "rules[0].high", "no range that a device has"),
        ("rules.0.rest", -10, "", "is not in 0 to 200000"),
        ("rules.0.rest", 200000, "rules[0].high", "could do nothing about the maximum"),
        ("rules.0.ramp", 0, "", "is no speed"),
        ("rules.0.response", NAN, "", "is no time"),
        ("rules.0.stale_after", 1, "", "the 1 s from one read to the next"),
        ("rules.0.when_stale", "panic", "", "use one of 'hold', 'release'"),
    ],
)
def test_a_mistake_names_its_field_and_the_remedy(path: str, value: Any, field: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _check(_changed(path, value))
    steps = [f"[{step}]" if step.isdigit() else f".{step}" for step in path.split(".")]
    assert caught.value.field == (field or "".join(steps).removeprefix("."))
    assert words in f"{caught.value.problem}; {caught.value.remedy}"
    assert caught.value.remedy


def test_the_examples_of_the_guide_are_taken() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "control-rules.md").read_text(encoding="utf-8")
    config: dict[str, Any] = {"revision": "1", "devices": []}
    for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL):
        part = block if block[0].isalpha() else f"rules:\n{block}"
        for name, items in yaml.safe_load(part).items():
            config.setdefault(name, []).extend(items)
    taken = Document("control-rules.md", config).convert(EdgeConfig)
    assert len(taken.rules) == 3
    assert all(parse(one.expression).points for one in taken.derived)
    assert taken.reporting
    assert taken.setpoints


def test_an_edge_that_reports_by_exception_has_a_bounded_image() -> None:
    devices = [_device(f"meter_{number}", "stl_meter", number % 200 + 1) for number in range(400)]
    with pytest.raises(ConfigError, match="at most 4096"):
        _check({"revision": "1", "devices": devices, "reporting": [{"points": ["*"]}]})


@pytest.mark.parametrize(
    ("zone", "words"),
    [("Europe/Berln", "did you mean 'Europe/Berlin'?"), ("+01:00", "IANA name"), ("../etc/passwd", "IANA name")],
)
def test_a_time_zone_that_is_none_is_named(tmp_path: Path, zone: str, words: str) -> None:
    data = {
        "site": "site_1",
        "edge": "edge_1",
        "timezone": zone,
        "redis": {"url": "redis://127.0.0.1:6379/0", "username": "edge_1_abc", "password": "secret"},
        "config": CONFIG,
    }
    with pytest.raises(ConfigError) as caught:
        check_bootstrap(parse_yaml(yaml.safe_dump(data), "edge.yaml"), tmp_path)
    assert (caught.value.field, caught.value.line is not None) == ("timezone", True)
    assert words in caught.value.remedy
    data["timezone"] = "Europe/Berlin"
    settings = check_bootstrap(parse_yaml(yaml.safe_dump(data), "edge.yaml"), tmp_path)
    assert settings.source.timezone == "Europe/Berlin"  # type: ignore[union-attr]
