"""Write the JSON Schema of every message: `python -m ems_contract.schema DIRECTORY`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from ems_contract.access import AccessEvent, Action, Grant
from ems_contract.alerts import AlertEvent
from ems_contract.commands import Command, CommandEvent, CommandReason
from ems_contract.edge_events import EdgeEvent, EdgeStatus
from ems_contract.frames import ClientFrame, CloseCode, ServerFrame
from ems_contract.points import Kind, Quality, Reason
from ems_contract.provisioning import EdgeConfig, PointsReport, SessionAnswer, SessionRequest
from ems_contract.telemetry import Batch

MESSAGES: dict[str, Any] = {
    "access_event": AccessEvent,
    "alert_event": AlertEvent,
    "batch": Batch,
    "client_frame": ClientFrame,
    "command": Command,
    "command_event": CommandEvent,
    "edge_config": EdgeConfig,
    "edge_event": EdgeEvent,
    "edge_status": EdgeStatus,
    "grant": Grant,
    "points_report": PointsReport,
    "server_frame": ServerFrame,
    "session_answer": SessionAnswer,
    "session_request": SessionRequest,
}
"""File name -> type, for the schema and for the golden messages."""

ENUMS: tuple[type, ...] = (Action, CloseCode, CommandReason, Kind, Quality, Reason)


def schema() -> dict[str, Any]:
    """One JSON Schema document; every type is under `$defs`, every message under `properties`."""
    types = [*MESSAGES.values(), *ENUMS]
    refs, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    definitions["CloseCode"]["tsEnumNames"] = [code.name for code in sorted(CloseCode)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contract",
        "description": "Generated from ems_contract; do not edit. Consumers ignore fields they do not know.",
        "type": "object",
        "properties": dict(zip([*MESSAGES, *(enum.__name__ for enum in ENUMS)], refs, strict=True)),
        "$defs": definitions,
    }


def main() -> None:
    target = Path(sys.argv[1]) / "contract.schema.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
