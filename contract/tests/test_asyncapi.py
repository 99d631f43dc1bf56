"""The AsyncAPI document tells of every frame, and what it tells is true. That it is AsyncAPI is tested in `stack`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ems_contract.asyncapi import OPERATIONS, document, golden_frames
from ems_contract.frames import CLOSE_CODES, ERROR_CODES, ClientFrame, CloseCode, ErrorCode, ServerFrame

ROOT = Path(__file__).parents[2]
DOCUMENT = document(golden_frames(ROOT / "contract" / "fixtures"))
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]


def tags(frames: Any) -> set[str]:
    return {frame.__struct_config__.tag for frame in frames.__args__}


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_committed_document_is_the_generated_one() -> None:
    committed = (ROOT / "docs" / "reference" / "asyncapi.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(committed) == DOCUMENT, "run `make gen`"


def test_every_frame_is_a_message_of_the_channel_with_a_description_and_an_example() -> None:
    assert set(MESSAGES) == set(DOCUMENT["channels"]["live"]["messages"]) == tags(ClientFrame) | tags(ServerFrame)
    for message in MESSAGES.values():
        assert message["description"]
        assert message["examples"]


def test_the_service_receives_what_clients_send_and_sends_the_rest() -> None:
    told: dict[str, set[str]] = {"receive": set(), "send": set()}
    for name, operation in DOCUMENT["operations"].items():
        _, names, replies = OPERATIONS[name]
        told[operation["action"]].update(names)
        told["send"].update(replies)
    assert told == {"receive": tags(ClientFrame), "send": tags(ServerFrame)}


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(MESSAGES)
    for reference in found:
        assert isinstance(resolved(reference), dict), reference


@pytest.mark.parametrize("tag", sorted(MESSAGES))
def test_an_example_is_what_its_schema_says_and_another_frame_is_not(tag: str) -> None:
    schema = {**DOCUMENT, "$ref": MESSAGES[tag]["payload"]["$ref"]}
    validator = jsonschema.Draft7Validator(schema)
    for example in MESSAGES[tag]["examples"]:
        validator.validate(example["payload"])
    other = next(name for name in MESSAGES if name != tag)
    assert not validator.is_valid(MESSAGES[other]["examples"][0]["payload"])


def test_every_code_is_explained() -> None:
    assert set(CLOSE_CODES) == set(CloseCode)
    assert set(ERROR_CODES) == set(ErrorCode)
    text = json.dumps(DOCUMENT)
    for code in (*CloseCode, *ErrorCode):
        assert f"| {int(code)} | `{code.name}` |" in text
