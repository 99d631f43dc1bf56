"""Batches, tokens and grants as the outside world would make them."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from ems_contract.telemetry import Batch, Reading, encode_batch

BOOT = "6f1f3f0e-52f5-4d62-9d3c-7a7f1f6f3a10"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def batch(seq: int, *, edge: str = "edge_1", boot: str = BOOT, points: int = 1) -> bytes:
    values: dict[str, float | None] = {f"grid_meter.power_{n}": float(seq) for n in range(points)}
    now = now_ms()
    return encode_batch(Batch(1, edge, boot, seq, now, [Reading(now, values)]))


def token(user: int, serial: int = 0, **claims: Any) -> str:
    """Shaped like a JWT; the test's backend knows tokens by heart and checks no signature."""

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'user_id': str(user), 'jti': serial, **claims})}.c2lnbmF0dXJl"


def grant(
    user: int, sites: list[int], *, expires_in: float = 600.0, actions: tuple[str, ...] = ("view",)
) -> dict[str, Any]:
    return {
        "user": {"id": user, "email": f"user{user}@example.com", "name": f"User {user}"},
        "sites": [
            {
                "site": f"site_{site}",
                "name": f"Site {site}",
                "organization": 1,
                "role": "viewer",
                "actions": list(actions),
            }
            for site in sites
        ],
        "expires": now_ms() + int(expires_in * 1000),
    }
