"""History as an outsider reads it: the public REST API, nothing else."""

from __future__ import annotations

from typing import Any

import httpx

from ems_prove.ledger import Span

STEP_MS = 600_000
"""Raw history is asked for in spans that the API allows."""


def point_keys(client: httpx.Client, site: int) -> list[str]:
    answer = client.get(f"/api/sites/{site}/points").raise_for_status()
    return [point["key"] for point in answer.json()["results"]]


def samples(
    client: httpx.Client, site: int, points: list[str], since: int, until: int
) -> dict[str, list[tuple[int, float | None]]]:
    """Every raw sample of the points with `since <= ts < until`, in ms."""
    found: dict[str, list[tuple[int, float | None]]] = {point: [] for point in points}
    for start in range(since, until, STEP_MS):
        for first in range(0, len(points), 20):
            answer = _raw(client, site, points[first : first + 20], start, min(start + STEP_MS, until))
            for series in answer["series"]:
                found[series["key"]] += zip(series["ts"], series["value"], strict=True)
    return found


def gaps(client: httpx.Client, site: int, since: int, until: int) -> list[Span]:
    """The gaps that history knows of, of whatever point."""
    key = point_keys(client, site)[0]
    return [Span(gap["from"], gap["to"], gap["reason"]) for gap in _raw(client, site, [key], since, until)["gaps"]]


def _raw(client: httpx.Client, site: int, points: list[str], since: int, until: int) -> Any:
    params: dict[str, str | int] = {
        "site": site,
        "points": ",".join(points),
        "resolution": "raw",
        "from": since,
        "to": until,
    }
    return client.get("/api/telemetry/historical", params=params).raise_for_status().json()
