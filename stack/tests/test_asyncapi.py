"""`docs/reference/asyncapi.yaml` is AsyncAPI 3.0 by the words of its makers: the JSON Schema that they publish."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from ems_stack import peers
from ems_stack.paths import REPOSITORY


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    file = peers.package_file("@asyncapi/specs/schemas/3.0.0-without-$id.json")
    return jsonschema.Draft7Validator(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture
def document() -> dict[str, Any]:
    text = (REPOSITORY / "docs" / "reference" / "asyncapi.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_document_is_what_the_specification_allows(
    official: jsonschema.Draft7Validator, document: dict[str, Any]
) -> None:
    assert [f"{error.json_path}: {error.message[:200]}" for error in official.iter_errors(document)] == []


def test_the_specification_notices_a_fault(official: jsonschema.Draft7Validator, document: dict[str, Any]) -> None:
    document["operations"]["ping"]["action"] = "shout"
    assert [error.json_path for error in official.iter_errors(document)] == ["$.operations.ping"]
