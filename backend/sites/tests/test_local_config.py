"""An edge's derived points, reporting and rules: written by who manages the site, checked, and told to the edge."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from rest_framework.test import APIClient

from ems_contract import keys
from ems_contract.control import LimitRule
from ems_contract.provisioning import SetpointLimits
from sites.actions.edge_session import config_of
from sites.expressions import points_of
from sites.models import Device, Edge, EdgeChange, Point
from sites.tests.asking import fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

DERIVED = {"key": "site.load", "name": "Load", "unit": "W", "expression": "battery.active_power * 2 + 1"}
RULE = {
    "kind": "limit",
    "key": "peak_shaving",
    "name": "Peak shaving",
    "point": "battery.setpoint",
    "input": "battery.active_power",
    "maximum": 80_000.0,
    "low": 0.0,
    "high": 40_000.0,
}
HYSTERESIS = {
    **{name: RULE[name] for name in ("key", "name", "point", "input")},
    "kind": "hysteresis",
    "on_at": 5.0,
    "off_at": 3.0,
    "on_value": 1.0,
}
WINDOW = {"start": "07:00", "end": "24:00", "value": 1_000.0}
REPORTING = {"points": ["*.active_power", "site.load", "peak_shaving.output"], "deadband": 50.0, "heartbeat": 300.0}


def schedule(*windows: dict[str, Any]) -> dict[str, Any]:
    return {**{name: RULE[name] for name in ("key", "name", "point")}, "kind": "schedule", "windows": list(windows)}


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    kit = edge_kit(cast.own, "battery")
    Point.objects.create(
        site=cast.own, device=kit.device, key="battery.setpoint", writable=True, minimum=-50_000, maximum=50_000
    )
    return kit


@pytest.fixture
def manager(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.max)


def change(client: APIClient, kit: EdgeKit, **changes: Any) -> Any:
    return send(client, "PATCH", f"/api/edges/{kit.edge.pk}", changes)


def test_all_of_it_is_kept_shown_and_in_the_edges_session(manager: APIClient, kit: EdgeKit) -> None:
    before = config_of(kit.edge).revision
    answer = change(manager, kit, derived=[DERIVED], reporting=[REPORTING], rules=[RULE])
    assert answer.status_code == 200, answer.content
    shown = manager.get(f"/api/edges/{kit.edge.pk}").json()
    assert (shown["derived"], shown["reporting"], shown["rules"]) == ([DERIVED], [REPORTING], [RULE])
    kit.edge.refresh_from_db()
    config = config_of(kit.edge)
    assert config.revision != before
    (rule,) = config.rules
    assert isinstance(rule, LimitRule)
    assert (rule.maximum, rule.when_stale) == (80_000.0, "hold")
    assert config.derived[0].expression == DERIVED["expression"]
    assert config.reporting[0].deadband == 50.0


@pytest.mark.parametrize("rule", [RULE, HYSTERESIS, schedule(WINDOW)], ids=lambda rule: rule["kind"])
def test_each_kind_of_rule_is_taken(manager: APIClient, kit: EdgeKit, rule: dict[str, Any]) -> None:
    assert change(manager, kit, rules=[rule]).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"derived": {}}, "derived"),
        ({"derived": [1]}, "derived.0"),
        ({"derived": [{**DERIVED, "colour": 1}]}, "derived.0.colour"),
        ({"derived": [{**DERIVED, "kind": "state"}]}, "derived.0.kind"),
        ({"derived": [{**DERIVED, "key": "Site.Load"}]}, "derived.0.key"),
        ({"derived": [{**DERIVED, "key": "battery.load"}]}, "derived.0.key"),
        ({"derived": [DERIVED, DERIVED]}, "derived.0.key"),
        ({"derived": [{**DERIVED, "unit": "kW"}]}, "derived.0.unit"),
        ({"derived": [{**DERIVED, "name": "a\u202eb"}]}, "derived.0.name"),
        ({"derived": [{**DERIVED, "expression": "no.such_point"}]}, "derived.0.expression"),
        ({"derived": [{**DERIVED, "expression": "site.load"}]}, "derived.0.expression"),
        ({"derived": [{**DERIVED, "expression": "__import__('os')"}]}, "derived.0.expression"),
        ({"derived": [{**DERIVED, "expression": "1 + 1"}]}, "derived.0.expression"),
        ({"reporting": [{"points": []}]}, "reporting.0.points"),
        ({"reporting": [{"points": ["no.such_point"]}]}, "reporting.0.points"),
        ({"reporting": [{"points": ["*"], "deadband": -1.0}]}, "reporting.0.deadband"),
        ({"reporting": [{"points": ["*"], "heartbeat": 601.0}]}, "reporting.0.heartbeat"),
        ({"reporting": [{"points": ["*"], "window": 0.0}]}, "reporting.0.window"),
        ({"reporting": [{"points": ["*"], "aggregate": "median"}]}, "reporting.0.aggregate"),
        ({"rules": [RULE] * 201}, "rules"),
        ({"rules": [{**RULE, "kind": "magic"}]}, "rules.0.kind"),
        ({"rules": [{**RULE, "priority": 17}]}, "rules.0.priority"),
        ({"rules": [{**RULE, "priority": "1"}]}, "rules.0.priority"),
        ({"rules": [{**RULE, "key": "battery"}]}, "rules.0.key"),
        ({"rules": [{**RULE, "key": "Peak"}]}, "rules.0.key"),
        ({"rules": [RULE, {**RULE, "key": "another"}]}, "rules.0.priority"),
        ({"rules": [{**RULE, "name": "n" * 181}]}, "rules.0.name"),
        ({"rules": [{**RULE, "point": "battery.active_power"}]}, "rules.0.point"),
        ({"rules": [{**RULE, "point": "no.such_point"}]}, "rules.0.point"),
        ({"rules": [{**RULE, "input": "battery.setpoint"}]}, "rules.0.input"),
        ({"rules": [{**RULE, "input": "no.such_point"}]}, "rules.0.input"),
        ({"rules": [{**RULE, "high": 50_001.0}]}, "rules.0.high"),
        ({"rules": [{**RULE, "high": 0.0}]}, "rules.0.high"),
        ({"rules": [{**RULE, "rest": 40_000.0}]}, "rules.0.high"),
        ({"rules": [{**RULE, "rest": -1.0}]}, "rules.0.rest"),
        ({"rules": [{**RULE, "effect": 0.0}]}, "rules.0.effect"),
        ({"rules": [{**RULE, "maximum": None}]}, "rules.0.maximum"),
        ({"rules": [{**RULE, "minimum": 79_000.0, "margin": 600.0}]}, "rules.0.minimum"),
        ({"rules": [{**RULE, "ramp": 0.0}]}, "rules.0.ramp"),
        ({"rules": [{**RULE, "stale_after": -1.0}]}, "rules.0.stale_after"),
        ({"rules": [{**HYSTERESIS, "off_at": 5.0}]}, "rules.0.off_at"),
        ({"rules": [{**HYSTERESIS, "off_value": 1.0}]}, "rules.0.off_value"),
        ({"rules": [{**HYSTERESIS, "on_value": 1e9}]}, "rules.0.on_value"),
        ({"rules": [schedule()]}, "rules.0.windows"),
        ({"rules": [schedule({**WINDOW, "start": "7:00"})]}, "rules.0.windows.0.start"),
        ({"rules": [schedule({**WINDOW, "start": "24:00"})]}, "rules.0.windows.0.start"),
        ({"rules": [schedule(WINDOW, {**WINDOW, "value": 9e9})]}, "rules.0.windows.1.value"),
        ({"rules": [schedule({**WINDOW, "days": [7]})]}, "rules.0.windows.0.days"),
        ({"rules": [schedule({**WINDOW, "x": 1})]}, "rules.0.windows.0.x"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(
    manager: APIClient, kit: EdgeKit, wrong: dict[str, Any], field: str
) -> None:
    assert field in fields(change(manager, kit, **wrong))
    kit.edge.refresh_from_db()
    assert (kit.edge.derived, kit.edge.reporting, kit.edge.rules) == ([], [], [])


def test_a_number_that_json_cannot_carry_back_is_refused(manager: APIClient, kit: EdgeKit) -> None:
    answer = manager.patch(
        f"/api/edges/{kit.edge.pk}",
        '{"rules":[{"kind":"limit","key":"a","name":"a","point":"battery.setpoint","maximum":1e999}]}',
        content_type="application/json",
    )
    assert fields(answer) == ["rules.0.maximum"]


def test_two_derived_points_that_need_each_other_are_refused(manager: APIClient, kit: EdgeKit) -> None:
    circle = [
        {**DERIVED, "key": "site.a", "expression": "site.b"},
        {**DERIVED, "key": "site.b", "expression": "site.a"},
    ]
    assert fields(change(manager, kit, derived=circle)) == ["derived.0.expression", "derived.1.expression"]


def test_the_keys_of_another_edges_rules_and_of_devices_are_taken(cast: Cast, manager: APIClient, kit: EdgeKit) -> None:
    change(manager, kit, derived=[DERIVED], rules=[RULE])
    other = Edge.objects.create(site=cast.own, name="Other")
    answer = send(manager, "PATCH", f"/api/edges/{other.pk}", {"derived": [{**DERIVED, "key": "site.other"}]})
    assert "derived.0.key" in fields(answer)
    for key in ("peak_shaving", "site"):
        new = {"edge": other.pk, "key": key, "name": "n", "driver": "modbus", "profile": "p"}
        answer = send(manager, "POST", "/api/devices", {**new, "connection": {"host": "10.0.0.5"}})
        assert fields(answer) == ["key"]


def test_rules_name_points_of_their_own_edge_only(cast: Cast, manager: APIClient, kit: EdgeKit) -> None:
    other = edge_kit(cast.own, "other_meter")
    assert fields(change(manager, other, rules=[RULE])) == ["rules.0.point", "rules.0.input"]


def test_only_who_manages_the_site_writes_them(cast: Cast, kit: EdgeKit, client_of: ClientOf) -> None:
    assert change(client_of(cast.olga), kit, rules=[]).status_code == 403
    assert change(client_of(cast.charlie), kit, rules=[]).status_code == 404


def test_what_people_decide_of_a_setpoint_is_in_the_edges_session(manager: APIClient, kit: EdgeKit) -> None:
    point = Point.objects.get(key="battery.setpoint")
    assert config_of(kit.edge).setpoints == []
    before = config_of(kit.edge).revision
    url = f"/api/points/{point.pk}"
    assert send(manager, "PATCH", url, {"maximum": 30_000.0, "default": 0.0}).json()["default"] == 0.0
    assert config_of(kit.edge).setpoints == [SetpointLimits("battery.setpoint", maximum=30_000.0, default=0.0)]
    assert config_of(kit.edge).revision != before
    assert fields(send(manager, "PATCH", url, {"default": 30_001.0})) == ["default"]
    assert fields(send(manager, "PATCH", f"/api/points/{kit.point.pk}", {"default": 0.0})) == ["default"]
    send(manager, "PATCH", url, {"maximum": None, "default": None})
    assert config_of(kit.edge).revision == before


@pytest.mark.parametrize(
    ("change_", "heard"),
    [
        (lambda kit: Edge.objects.update(rules=[RULE]), True),
        (lambda kit: Edge.objects.update(derived=[DERIVED]), True),
        (lambda kit: Edge.objects.update(reporting=[REPORTING]), True),
        (lambda kit: Point.objects.filter(writable=True).update(maximum=5, overridden={"maximum": None}), True),
        (lambda kit: kit.edge.site.__class__.objects.update(timezone="Europe/Madrid"), True),
        (lambda kit: Edge.objects.update(config_revision="x", config_problem="y"), False),
        (lambda kit: Point.objects.filter(writable=True).update(name="x"), False),
        (lambda kit: Point.objects.filter(writable=False).update(maximum=5), False),
    ],
)
def test_the_edge_hears_of_what_is_new_in_its_session(kit: EdgeKit, change_: Any, heard: bool) -> None:
    EdgeChange.objects.all().delete()
    change_(kit)
    assert EdgeChange.objects.filter(edge_id=kit.edge.pk).exists() is heard


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("a.b + c.d * 2 - a.b", ["a.b", "c.d"]),
        ("meter.import if not (a.b > 0 and a.c <= 1) else clamp(a.d, 0, 1e3)", ["meter.import", "a.b", "a.c", "a.d"]),
        ("min(a.b, max(a.c, abs(-a.d))) ** 2 % 7", ["a.b", "a.c", "a.d"]),
    ],
)
def test_arithmetic_over_points_is_read(text: str, points: list[str]) -> None:
    assert points_of(text) == points


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a.b +", "a b", "(", "x", "True", "'a'", "[1]", "a.b[0]", "lambda: 1", "a.b := 1", "f'{1}'", "1j"),
        *("print(1)", "P", "abs(x=a.b)", "abs(*a.b)", "a.b if a.c", "a.b << 1", "~a.b", "a.b in a.c"),
        *("(" * 500 + "a.b" + ")" * 500, "a" * 1_001, "().__class__", "await a.b", "min"),
    ],
)
def test_what_is_no_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        points_of(text)


def test_how_an_edge_is_doing_is_what_it_left_in_redis(
    cast: Cast, kit: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    client, url = client_of(cast.bob), f"/api/edges/{kit.edge.pk}/status"
    never = {"seen": None, "stale": True, "status": None}
    assert client.get(url).json() == never
    seconds, _ = clean_redis.time()
    said = '{"v":1,"boot":"b","software":"s","ts":%d,"revision":"r","backlog":3,"backlog_size":9,"devices":[]}'
    name = keys.edge_status(cast.own.pk)
    clean_redis.hset(name, kit.edge.wire_name, said % (seconds * 1000))
    known = client.get(url).json()
    assert (known["stale"], known["status"]["backlog"], known["seen"][-1]) == (False, 3, "Z")
    clean_redis.hset(name, kit.edge.wire_name, said % ((seconds - 31) * 1000))
    assert client.get(url).json()["stale"] is True
    for hostile in (b"\xff", b"[" * 5_000, said % 10**30, b'{"v":1}', b" " * (1 << 21)):
        clean_redis.hset(name, kit.edge.wire_name, hostile)
        assert client.get(url).json() == never
    assert client_of(cast.charlie).get(url).status_code == 404


def test_a_device_that_is_deleted_leaves_rules_that_its_edge_will_refuse(manager: APIClient, kit: EdgeKit) -> None:
    """Nothing is lost by it: the edge goes on with what it has, and says why."""
    change(manager, kit, rules=[RULE])
    Device.objects.all().delete()
    kit.edge.refresh_from_db()
    assert len(config_of(kit.edge).rules) == 1
    assert fields(change(manager, kit, rules=[RULE])) == ["rules.0.point", "rules.0.input"]
