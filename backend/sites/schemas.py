"""The contract's messages for the API's description: the same types that are encoded, not a second spelling."""

from __future__ import annotations

from typing import Any

import msgspec

from ems_contract.access import Grant
from ems_contract.edge_events import EdgeStatus
from ems_contract.provisioning import PointsReport, SessionAnswer, SessionRequest


def inline(message: type[msgspec.Struct]) -> dict[str, Any]:
    """A message's JSON Schema with its parts written in place, as an OpenAPI schema object."""
    (root,), components = msgspec.json.schema_components([message], ref_template="{name}")

    def place(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return place(components[node["$ref"]])
            # A discriminator refers to parts by name, and there are none any more.
            return {key: place(value) for key, value in node.items() if key != "discriminator"}
        return [place(item) for item in node] if isinstance(node, list) else node

    placed: dict[str, Any] = place(root)
    return placed


GRANT = inline(Grant)
EDGE_STATUS = inline(EdgeStatus)
SESSION_REQUEST = inline(SessionRequest)
SESSION_ANSWER = inline(SessionAnswer)
POINTS_REPORT = inline(PointsReport)
