"""A profile is data, and a mistake in it names file, line, field and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from ems_contract.points import Kind
from ems_edge.problems import ConfigError, parse_yaml
from ems_edge.profile import Profiles, check_profile
from ems_edge.profile_common import CommonProfile

GOOD = """\
profile: acme_meter
name: ACME meter
driver: modbus
points:
  - {key: active_power, name: Active power, unit: W, address: 0, type: int32}
  - key: status
    name: Status
    unit: ""
    kind: state
    address: 2
    type: enum
    states: {0: off, 1: on}
"""


def _check(text: str) -> CommonProfile:
    return check_profile(parse_yaml(text, "acme.yaml"))


def test_a_good_profile_is_taken() -> None:
    profile = _check(GOOD)
    power, status = profile.contract_points("main_meter")
    assert power.key == "main_meter.active_power"
    assert status.states == {"0": "off", "1": "on"}
    assert status.kind is Kind.STATE


def test_states_may_be_called_off_and_on() -> None:
    """YAML 1.1 would read them as booleans."""
    assert _check(GOOD).all_points()[1].states == {0: "off", 1: "on"}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "remedy"),
    [
        ("type: int32", "type: int23", 5, "points[0].type", "did you mean 'int32'?"),
        ("unit: W", "unit: kW", 5, "points[0].unit", "use the base unit 'W' and multiply the scale by 1000"),
        ("unit: W", "unit: w", 5, "points[0].unit", "use one of"),
        ("address: 0", "adress: 0", 5, "points[0].adress", "did you mean 'address'?"),
        ("address: 0", "address: -1", 5, "points[0].address", "0 to 65535"),
        ("address: 0", "address: 65535", 5, "points[0].address", "0 to 65535"),
        ("address: 0", "address: twelve", 5, "points[0].address", "'twelve' stands there"),
        ("address: 0, ", "", 5, "points[0].address", "add it"),
        ("address: 2", "address: 1", 10, "points[1].address", "active_power takes 2 from 0"),
        ("key: status", "key: active_power", 6, "points[1].key", "its own key"),
        ("key: active_power", "key: ActivePower", 5, "points[0].key", "lower-case"),
        ("name: Active power", "name: ' '", 5, "points[0].name", "people should read"),
        ("kind: state", "kind: status", 9, "points[1].kind", "did you mean 'state'?"),
        ("kind: state", "kind: gauge", 12, "points[1].states", "write kind: state"),
        ("    states: {0: off, 1: on}\n", "", 6, "points[1].states", "name them"),
        ("{0: off, 1: on}", "{70000: off}", 12, "points[1].states", "0 to 65535"),
        ("type: int32", "type: int32, scale: 0", 5, "points[0].scale", "such as 0.1"),
        ("type: int32", "type: int32, bit: 3", 5, "points[0].bit", "leave it out"),
        ("type: int32", "type: bit, bit: 16", 5, "points[0].bit", "0 (the lowest) to 15"),
        ("type: int32", "type: int32, function: coil", 5, "points[0].type", "write type: bit"),
        ("type: int32", "type: int32, function: inputs", 5, "points[0].function", "did you mean 'input'?"),
        ("type: int32", "type: int32, function: input, writable: true", 5, "points[0].writable", "use holding or coil"),
        ("type: int32", "type: int32, minimum: 5, maximum: 5", 5, "points[0].maximum", "exchange them"),
        ("type: int32", "type: int32, maximum: .inf", 5, "points[0].maximum", "leave it out"),
        ("type: int32", "type: int32, word_order: small", 5, "points[0].word_order", "use one of 'big', 'little'"),
        ("driver: modbus", "driver: modbuss", 3, "driver", "did you mean 'modbus'?"),
        ("profile: acme_meter", "profile: ACME!", 1, "profile", "lower-case words"),
    ],
)
def test_a_mistake_names_file_line_field_and_remedy(old: str, new: str, line: int, field: str, remedy: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        _check(GOOD.replace(old, new))
    error = caught.value
    assert (error.file, error.line, error.field) == ("acme.yaml", line, field)
    assert remedy in error.remedy
    assert str(error).startswith(f"acme.yaml:{line}: {field}: ")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("profile: [1, 2", 1, "is not YAML"),
        ("profile: x\n\tname: y", 2, "is not YAML"),
        ("profile: a\nprofile: b\n", 2, "'profile' is written twice"),
        ("- a\n- b\n", None, "holds a list"),
        ("", None, "is empty"),
        ("? {a: b}\n: c\n", 1, "not a plain word"),
        ("a: \x00", None, "is not YAML"),
    ],
)
def test_what_is_no_yaml_mapping_says_so(text: str, line: int | None, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _check(text)
    assert caught.value.line == line
    assert problem in str(caught.value)


@pytest.mark.parametrize("field", ["name", "driver"])
def test_aliases_of_aliases_of_aliases_are_told_in_a_line(field: str) -> None:
    layers = ["&a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"&a{layer} [{', '.join([f'*a{layer - 1}'] * 9)}]" for layer in range(1, 12)]
    text = GOOD.replace(next(line for line in GOOD.splitlines() if line.startswith(field)), "")
    with pytest.raises(ConfigError) as told:
        check_profile(parse_yaml(f"{text}\n{field}: [{', '.join(layers)}]\n", "bomb.yaml"))
    assert len(str(told.value)) < 300


def test_no_points_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="has no point"):
        _check("profile: x\nname: X\ndriver: modbus\npoints: []\n")


def test_bits_of_one_register_may_share_it_but_not_a_bit() -> None:
    text = (
        "profile: x\nname: X\ndriver: modbus\npoints:\n"
        "  - {key: a, name: A, unit: '', address: 0, type: bit, bit: 0}\n"
        "  - {key: b, name: B, unit: '', address: 0, type: bit, bit: 1}\n"
    )
    assert len(_check(text).points) == 2
    with pytest.raises(ConfigError, match="already belongs to"):
        _check(text.replace("bit: 1", "bit: 0"))


def test_own_profiles_come_before_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "acme_meter.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "stl_meter.yaml").write_text(GOOD.replace("acme_meter", "stl_meter"), encoding="utf-8")
    profiles = Profiles(tmp_path)
    assert "acme_meter" in profiles.names()
    assert profiles.get("stl_meter").name == "ACME meter"


@pytest.mark.parametrize("name", ["nothing", "../config", "/etc/passwd", ""])
def test_a_name_without_a_file_is_no_profile(name: str) -> None:
    with pytest.raises(KeyError):
        Profiles().get(name)
