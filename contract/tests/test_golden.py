"""Golden messages are read by both languages; here by Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ems_contract.schema import MESSAGES

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").glob("*.json"))


def test_there_are_golden_messages_of_every_kind() -> None:
    kinds = {json.loads(file.read_text())["message"] for file in FIXTURES}
    assert kinds == set(MESSAGES)


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_a_golden_message_is_read_and_written_back_the_same(file: Path) -> None:
    document: dict[str, Any] = json.loads(file.read_text())
    decoded = msgspec.convert(document["value"], MESSAGES[document["message"]])
    written = json.loads(msgspec.json.encode(decoded))
    if file.stem.startswith("unknown_field_"):
        del document["value"]["added_by_a_newer_producer"]
    assert written == document["value"]


@pytest.mark.parametrize("message", sorted(MESSAGES))
def test_a_producer_cannot_send_an_undeclared_field(message: str) -> None:
    kind = MESSAGES[message]
    for struct in getattr(kind, "__args__", (kind,)):
        with pytest.raises(TypeError, match="surprise"):
            struct(surprise=1)
