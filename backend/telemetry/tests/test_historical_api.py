"""GET /api/telemetry/historical: who may ask, what may be asked, what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from ems_contract.telemetry import Gap
from sites.models import Edge, Point
from telemetry import database
from telemetry.compaction import compact
from telemetry.hot import Entry, Window
from telemetry.ingest import ingest
from telemetry.rollups import DAY, MINUTE
from telemetry.samples import HOUR
from telemetry.tests.ledger import new_boot, payload, reading
from testing.cast import Cast

ADDRESS = "/api/telemetry/historical"
Clients = Callable[..., APIClient]


@pytest.fixture
def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def filled(cast: Cast, now: int) -> Cast:
    """Two hours of one reading a minute on Bob's site, the older half compacted."""
    edge = Edge.objects.create(site=cast.own, name="Edge")
    Point.objects.create(
        site=cast.own, key="grid_meter.active_power", name="Active power", unit="W", kind="gauge", adopted=True
    )
    start = now - 2 * HOUR
    readings = [
        reading(start + n * MINUTE, {"grid_meter.active_power": float(n), "hvac.mystery": None}) for n in range(120)
    ]
    gap = Gap(start + 5, start + 10, "edge_down")
    boot = new_boot()
    connection = database.connection()
    sent = [
        Entry(cast.own.pk, edge.pk, payload([one], seq, boot, edge.pk, [gap] if seq == 1 else None))
        for seq, one in enumerate(readings, 1)
    ]
    ingest(connection, sent, Window.at(now, 400 * DAY))
    compact(connection, cast.own.pk, now)
    return cast


def ask(client: APIClient, **query: Any) -> Any:
    parameters = {name.rstrip("_"): value for name, value in query.items()}
    return client.get(ADDRESS, parameters)


def test_a_viewer_sees_the_samples_and_the_gaps(filled: Cast, client_of: Clients, now: int) -> None:
    answer = ask(
        client_of(filled.bob), site=filled.own.pk, points="grid_meter.active_power", from_=now - 2 * HOUR, to=now
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["site"], body["timezone"], body["resolution"]) == (f"site_{filled.own.pk}", filled.own.timezone, "raw")
    (series,) = body["series"]
    assert (series["name"], series["unit"], series["kind"]) == ("Active power", "W", "gauge")
    assert series["value"] == [float(n) for n in range(120)]
    assert series["ts"] == [now - 2 * HOUR + n * MINUTE for n in range(120)]
    assert set(series["quality"]) == {0}
    edge = Edge.objects.get(site=filled.own)
    assert body["gaps"] == [
        {"edge": edge.wire_name, "from": now - 2 * HOUR + 5, "to": now - 2 * HOUR + 10, "reason": "edge_down"}
    ]


def test_rollups_have_their_columns_and_null_where_there_is_no_value(
    filled: Cast, client_of: Clients, now: int
) -> None:
    answer = ask(
        client_of(filled.bob),
        site=filled.own.pk,
        points="hvac.mystery,grid_meter.active_power",
        from_=now - 2 * HOUR,
        resolution="15m",
    ).json()
    mystery, power = answer["series"]
    assert (mystery["key"], mystery["unit"]) == ("hvac.mystery", "")
    assert set(power) == {"key", "name", "unit", "kind", "ts", "avg", "min", "max", "first", "last", "count", "good"}
    assert (sum(power["count"]), sum(power["good"])) == (120, 120)
    assert (set(mystery["avg"]), sum(mystery["count"]), sum(mystery["good"])) == ({None}, 120, 0)
    assert all(ts % (15 * MINUTE) == 0 for ts in power["ts"])


def test_times_may_be_iso_8601(filled: Cast, client_of: Clients, now: int) -> None:
    since, until = (datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (now - 2 * HOUR, now - HOUR))
    answer = ask(client_of(filled.bob), site=filled.own.pk, points="grid_meter.active_power", from_=since, to=until)
    assert len(answer.json()["series"][0]["ts"]) == 60


def test_a_declared_point_without_samples_answers_an_empty_series(filled: Cast, client_of: Clients, now: int) -> None:
    Point.objects.create(site=filled.own, key="battery.state_of_charge", name="State of charge", unit="%")
    for resolution in ("raw", "1h"):
        answer = ask(
            client_of(filled.bob),
            site=filled.own.pk,
            points="battery.state_of_charge",
            from_=now - HOUR,
            resolution=resolution,
        )
        assert answer.json()["series"][0]["ts"] == []


@pytest.mark.parametrize("person", ["charlie", "dev"])
def test_a_foreign_site_answers_exactly_like_one_that_does_not_exist(
    filled: Cast, client_of: Clients, now: int, person: str
) -> None:
    stranger = client_of(getattr(filled, person))
    query: dict[str, str | int] = {"points": "grid_meter.active_power", "from": now - HOUR}
    foreign, missing = (stranger.get(ADDRESS, {**query, "site": site}) for site in (filled.own.pk, 999_999_999))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_member_of_the_organization_without_the_site_is_a_stranger_too(
    filled: Cast, client_of: Clients, now: int
) -> None:
    answer = ask(client_of(filled.bob), site=filled.other.pk, points="grid_meter.active_power", from_=now - HOUR)
    assert answer.status_code == 404


def test_a_stranger_with_an_unknown_point_still_gets_404(filled: Cast, client_of: Clients, now: int) -> None:
    answer = ask(client_of(filled.charlie), site=filled.own.pk, points="no.such_point", from_=now - HOUR)
    assert answer.status_code == 404


def test_anonymous_gets_401(filled: Cast, client_of: Clients, now: int) -> None:
    assert ask(client_of(), site=filled.own.pk, points="grid_meter.active_power", from_=now).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"site": "seven"}, "site"),
        ({"site": "-1"}, "site"),
        ({"site": str(10**30)}, "site"),
        ({"site": None}, "site"),
        ({"points": ""}, "points"),
        ({"points": None}, "points"),
        ({"points": ","}, "points"),
        ({"points": "no.such_point"}, "points"),
        ({"points": "grid_meter.active_power,<script>"}, "points"),
        ({"points": "grid_meter.active_power\x00"}, "points"),
        ({"points": ",".join(f"a.p{n}" for n in range(51))}, "points"),
        ({"from": None}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-01-01T00:00:00"}, "from"),
        ({"from": "2026-13-01T00:00:00Z"}, "from"),
        ({"from": "-5"}, "from"),
        ({"from": "9" * 15}, "from"),
        ({"from": "0"}, "from"),
        ({"to": "1"}, "to"),
        ({"to": "NaN"}, "to"),
        ({"resolution": "5m"}, "resolution"),
        ({"max_points": "0"}, "max_points"),
        ({"max_points": "1000000000"}, "max_points"),
    ],
)
def test_a_bad_parameter_is_named(
    filled: Cast, client_of: Clients, now: int, change: dict[str, str | None], field: str
) -> None:
    query = {"site": str(filled.own.pk), "points": "grid_meter.active_power", "from": str(now - HOUR), **change}
    answer = client_of(filled.bob).get(ADDRESS, {name: value for name, value in query.items() if value is not None})
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in body["errors"]] == [field]
    assert body["errors"][0]["message"]


def test_the_answer_is_not_cached(filled: Cast, client_of: Clients, now: int) -> None:
    answer = ask(client_of(filled.bob), site=filled.own.pk, points="grid_meter.active_power", from_=now - HOUR)
    assert answer.headers["Cache-Control"] == "no-store"
