"""The schema that editors use says what the edge says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ems_edge.problems import ConfigError, parse_yaml, read_yaml
from ems_edge.profile import KINDS, check_profile
from ems_edge.profile_schema import schema

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "edge/src/ems_edge/profiles").glob("*.yaml"))
GOOD = "profile: acme\nname: ACME\ndriver: modbus\npoints:\n  - {key: a, name: A, unit: W, address: 0, type: int32}\n"
VALIDATOR = jsonschema.Draft7Validator(schema())


def _as_json(data: Any) -> Any:
    """As an editor hands it on: keys are text."""
    return json.loads(json.dumps(data))


def test_it_is_a_schema_and_knows_every_driver() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    assert schema()["properties"]["driver"]["enum"] == sorted(KINDS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_built_in_profile_fits(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(_as_json(read_yaml(file).data))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("unit: W", "unit: kW"),
        ("type: int32", "type: int23"),
        ("address: 0", "adress: 0"),
        ("address: 0, ", ""),
        ("key: a", "key: A!"),
        ("profile: acme", "profile: ACME"),
        ("driver: modbus", "driver: modbuss"),
        ("driver: modbus", "driver: mqtt"),
        ("name: ACME", "name: 7"),
        ("driver: modbus\n", "driver: modbus\nmax_words: 200\n"),
    ],
)
def test_what_the_edge_refuses_an_editor_marks(old: str, new: str) -> None:
    document = parse_yaml(GOOD.replace(old, new), "acme.yaml")
    with pytest.raises(ConfigError):
        check_profile(document)
    assert list(VALIDATOR.iter_errors(_as_json(document.data)))
    assert not list(VALIDATOR.iter_errors(_as_json(parse_yaml(GOOD, "acme.yaml").data)))
