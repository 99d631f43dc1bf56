"""BACnet profiles: what is taken, what a mistake says, and drafts that are profiles."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from ems_edge.drivers.bacnet_draft import Described, draft
from ems_edge.drivers.bacnet_plan import PRESENT_VALUE, TYPE_NAMES, ObjectSource
from ems_edge.drivers.bacnet_units import UNITS
from ems_edge.problems import ConfigError, parse_yaml
from ems_edge.profile import check_profile
from hypothesis import example, given
from hypothesis import strategies as st

PROFILE: dict[str, Any] = {
    "profile": "unit",
    "name": "Unit",
    "driver": "bacnet",
    "points": [
        {"key": "room", "name": "Room", "unit": "°C", "object": "analog-input,3"},
        {
            "key": "fan",
            "name": "Fan",
            "unit": "",
            "kind": "state",
            "object": "binary-value:4",
            "states": {0: "a", 1: "b"},
        },
    ],
}


def changed(number: int, **fields: Any) -> str:
    document = copy.deepcopy(PROFILE)
    document["points"][number] |= fields
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def sources(text: str) -> list[ObjectSource]:
    return [one for one in check_profile(parse_yaml(text, "unit.yaml")).sources() if isinstance(one, ObjectSource)]


def test_objects_and_properties_are_named_or_numbered() -> None:
    room, fan = sources(changed(0))
    assert (room.object, room.property_number, fan.object) == ((0, 3), PRESENT_VALUE, (5, 4))
    assert sources(changed(0, object="0,3"))[0].object == (0, 3)
    assert sources(changed(0, object="512, 3"))[0].object == (512, 3)
    assert sources(changed(0, property="reliability"))[0].property_number == 103
    assert sources(changed(0, property=9997))[0].property_number == 9997


@pytest.mark.parametrize(
    ("number", "fields", "words"),
    [
        (
            0,
            {"object": "analog-inptu,3"},
            "points[0].object: 'analog-inptu' is not an object type; did you mean 'analog-i",
        ),
        (0, {"object": "room"}, "points[0].object: 'room' is not a type and an instance"),
        (0, {"object": "analog-input,4194303"}, "4194303 is not an instance"),
        (0, {"object": "1024,1"}, "'1024' is not an object type"),
        (0, {"property": "present_value"}, "'present_value' is not a property; did you mean 'present-value'?"),
        (0, {"writable": True}, "points[0].writable: nothing can be written to objects of type analog-input; leave it"),
        (0, {"object": "binary-value,4"}, "points[1].object: binary-value:4 already belongs to points[0] (room)"),
        (1, {"states": {1: "a", 2: "b"}}, "points[1].states: a binary object is 0 or 1"),
        (1, {"object": "multi-state-value,1"}, "points[1].states: a multi-state object counts from 1"),
        (0, {"adress": 3}, "there is no such field"),
    ],
)
def test_a_mistake_is_told_with_field_and_remedy(number: int, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_profile(parse_yaml(changed(number, **fields), "unit.yaml"))
    assert words in str(caught.value)


def test_two_points_may_share_an_object_in_different_properties() -> None:
    document = copy.deepcopy(PROFILE)
    room = document["points"][0]
    document["points"].append({**room, "key": "increment", "property": "cov-increment"})
    assert len(sources(yaml.safe_dump(document, allow_unicode=True))) == 3


DESCRIBED = st.builds(
    Described,
    object=st.tuples(st.sampled_from([*TYPE_NAMES, 17, 20, 700]), st.integers(0, 4_194_302)),
    name=st.text(max_size=60),
    units=st.none() | st.integers(0, 300),
    states=st.just(()) | st.tuples(st.text(max_size=9), st.text(max_size=9)),
    commandable=st.booleans(),
    minimum=st.none() | st.floats(width=32),
    maximum=st.none() | st.floats(width=32),
)


@example("null", [Described((0, 1), "TRUE"), Described((0, 2), "true north"), Described((0, 3), "true")])
@example("narrow", [Described((2, 1), "limit", commandable=True, minimum=-10_000.0, maximum=-9_999.99999999999)])
@given(st.text(max_size=40), st.lists(DESCRIBED, min_size=1, max_size=12, unique_by=lambda one: one.object))
def test_whatever_a_device_says_of_itself_the_draft_is_a_profile(name: str, described: list[Described]) -> None:
    held = [one for one in described if one.object[0] in TYPE_NAMES and TYPE_NAMES[one.object[0]] != "device"]
    inputs = {0, 3, 13, 23, 24}
    described = [one for one in described if not (one.commandable and one.object[0] in inputs)]
    held = [one for one in held if one in described]
    text = draft(name, name, described, says=name)
    if not held:
        return
    assert len(sources(text)) == len(held)


def test_a_draft_brings_units_into_ours() -> None:
    kilowatts, fahrenheit, kilowatt_hours, lumens = 48, 64, 19, 36
    described = [
        Described((0, 1), "Power", kilowatts),
        Described((0, 2), "Supply", fahrenheit),
        Described((0, 3), "Supply", kilowatt_hours),
        Described((0, 4), "Light", lumens),
    ]
    text = draft("AHU-1", "AHU-1", described)
    document = yaml.safe_load(text)
    assert document["profile"] == "ahu_1"
    power, supply, energy, light = document["points"]
    assert (power["unit"], power["scale"]) == ("W", 1000)
    assert supply["scale"] * 68 + supply["offset"] == pytest.approx(20)
    assert (energy["key"], energy["unit"], energy["kind"]) == ("supply_2", "Wh", "register")
    assert light["unit"] == ""
    assert "number 36 of BACnet's, is none of ours" in text


def test_every_unit_leads_to_one_of_ours_with_a_scale() -> None:
    from ems_contract.points import UNITS as OURS

    assert {unit for unit, _, _ in UNITS.values()} <= set(OURS)
    assert all(scale != 0 for _, scale, _ in UNITS.values())
