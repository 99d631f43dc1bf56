"""What a payload means: paths, texts, numbers, and everything that is none of them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ems_contract.points import Reason
from ems_edge.decode import Scaling, Value
from ems_edge.drivers.mqtt_payload import MAX_BYTES, Payload
from ems_edge.drivers.mqtt_source import Command, TopicSource, fill, parse_path, variables
from hypothesis import given
from hypothesis import strategies as st


def meaning(payload: bytes | str, path: str | None = None, **source: Any) -> Value:
    data = payload.encode() if isinstance(payload, str) else payload
    scaling = Scaling(**source.pop("scaling", {}))
    where = None if path is None else parse_path(path)
    return Payload(data).value(TopicSource("point", topic="t", scaling=scaling, path=where, **source))


@pytest.mark.parametrize(
    ("payload", "path", "value"),
    [
        ("12.5", None, 12.5),
        (" -3 \n", None, -3.0),
        ("1e3", None, 1000.0),
        (".5", None, 0.5),
        ("true", None, 1.0),
        ("OFF", None, Reason.GARBLED),
        ("0x10", None, Reason.GARBLED),
        ("1_000", None, Reason.GARBLED),
        ("١٢", None, Reason.GARBLED),
        ("inf", None, Reason.GARBLED),
        ("1e999", None, Reason.OUT_OF_RANGE),
        ("nan", None, Reason.NO_VALUE),
        ("unavailable", None, Reason.NO_VALUE),
        ("", None, Reason.NO_VALUE),
        (b"\xff", None, Reason.GARBLED),
        ('{"a": 1}', None, Reason.GARBLED),
        ('{"a": {"b": [1, 2.5]}}', "a.b[1]", 2.5),
        ('{"em:0": {"act power": 7}}', '["em:0"]["act power"]', 7.0),
        ('{"em:0": {"act_power": 7}}', "em:0.act_power", 7.0),
        ('{"a": "52"}', "a", 52.0),
        ('{"a": "52"}', "a[0]", Reason.NO_VALUE),
        ('{"a": [1]}', "a.0", Reason.NO_VALUE),
        ('{"a": [1]}', "a[1]", Reason.NO_VALUE),
        ('{"a": null}', "a", Reason.NO_VALUE),
        ('{"a": false}', "a", 0.0),
        ('{"a": {}}', "a", Reason.GARBLED),
        ('{"a": NaN}', "a", Reason.GARBLED),
        ('{"a": 1} trailing', "a", Reason.GARBLED),
        ("", "a", Reason.NO_VALUE),
        ("[" * 100_000, "a", Reason.GARBLED),
        (b'{"a": 1}' + b" " * MAX_BYTES, "a", Reason.GARBLED),
    ],
)
def test_what_a_payload_means(payload: bytes | str, path: str | None, value: Value) -> None:
    assert meaning(payload, path) == value


def test_texts_stand_for_numbers_only_where_they_are_named() -> None:
    values = {"ON": 1.0, "OFF": 0.0, "true": 5.0, "3": 9.0}
    assert [meaning(text, None, values=values) for text in ("ON", "OFF", "on", "4")] == [1, 0, Reason.OUT_OF_RANGE, 4]
    assert meaning('{"a": true}', "a", values=values) == 5.0
    assert meaning('{"a": 3}', "a", values=values) == 9.0


def test_numbers_are_scaled_and_held_against_their_limits() -> None:
    assert meaning("3.185", None, scaling={"scale": 1000}) == 3185.0
    assert meaning("234", None, scaling={"scale": 0.1}) == 23.4
    assert meaning("101", None, scaling={"maximum": 100}) is Reason.OUT_OF_RANGE
    assert meaning("7", None, scaling={"states": frozenset({0, 1})}) is Reason.OUT_OF_RANGE
    assert meaning("9" * 400, None) is Reason.GARBLED
    assert meaning("-32768", None, scaling={"sentinels": (-32768,)}) is Reason.NO_VALUE


@given(st.binary(max_size=200), st.sampled_from([None, "a", "a.b[0]", "[0]"]))
def test_whatever_is_said_is_a_number_or_a_reason(payload: bytes, path: str | None) -> None:
    value = meaning(payload, path)
    assert isinstance(value, Reason) or math.isfinite(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(["a", "a.b", "a[0].b", "[1]"]))
def test_whatever_stands_in_a_document_is_a_number_or_a_reason(document: Any, path: str) -> None:
    value = meaning(json.dumps(document), path)
    assert isinstance(value, Reason) or math.isfinite(value)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_comes_through_as_it_was_sent(number: float) -> None:
    assert meaning(repr(number)) == number
    assert meaning(json.dumps({"a": number}), "a") == number


@pytest.mark.parametrize(
    ("payload", "time"),
    [
        ({"t": 1_700_000_000}, 1_700_000_000.0),
        ({"t": 1_700_000_000_500}, 1_700_000_000.5),
        ({"t": "2023-11-14T22:13:20Z"}, 1_700_000_000.0),
        ({"t": "2023-11-14T23:13:20+01:00"}, 1_700_000_000.0),
        ({"t": "2023-11-14T22:13:20"}, None),  # nobody knows whose clock that is
        ({"t": "yesterday"}, None),
        ({"t": "0001-01-01T00:00:00+14:00"}, -62135647200.0),
        ({"t": True}, None),
        ({"t": -1}, None),
        ({"t": 10**400}, None),  # more than a float can hold
        ({}, None),
    ],
)
def test_the_time_of_a_payload(payload: Any, time: float | None) -> None:
    assert Payload(json.dumps(payload).encode()).time(parse_path("t")) == time


@pytest.mark.parametrize("path", ["", ".a", "a.", "a..b", "a[", "a[-1]", "a[b]", "[]", 'a["b]', "$.a b]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        parse_path(path)


def test_templates_are_filled_and_leave_json_alone() -> None:
    payload = '{"id":1,"params":{"on":{value}}}'
    assert variables(payload) == {"value"}
    assert fill(payload, {"value": "true"}) == '{"id":1,"params":{"on":true}}'
    assert fill("N/{portal}/x", {"portal": "{value}"}) == "N/{value}/x"
    with pytest.raises(KeyError):
        fill("{base}/x", {})


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        (1.0, 6, "1"),
        (-0.0, 6, "0"),
        (23.400000000000002, 6, "23.4"),
        (-1234.5678, 0, "-1235"),
        (1e15, 6, "1000000000000000"),
        (1e-9, 6, "0"),
    ],
)
def test_a_number_is_written_plainly(number: float, decimals: int, text: str) -> None:
    assert Command("t", decimals=decimals).text(number) == text


@given(st.floats(min_value=-1e9, max_value=1e9))
def test_what_is_written_is_what_would_be_read(number: float) -> None:
    assert meaning(Command("t").text(number)) == pytest.approx(number, abs=1e-6)
