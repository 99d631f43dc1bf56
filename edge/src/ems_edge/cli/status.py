"""`ems-edge status`: how an edge is doing, from its store; the edge may be running, or gone."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from ems_contract.edge_events import DeviceHealth, EdgeStatus
from ems_contract.telemetry import Gap
from rich.text import Text

from ems_edge import status_report, store
from ems_edge.bootstrap import Settings, check_bootstrap
from ems_edge.buffer import Stats
from ems_edge.cli import output
from ems_edge.problems import ConfigError, read_yaml

_STALE_MS = 60_000
"""The edge writes its status every 10 s."""
_GAPS_SHOWN = 10

Bootstrap = Annotated[Path, typer.Argument(help="The edge's bootstrap file.", show_default=False)]


def status(bootstrap: Bootstrap, as_json: output.Json = False) -> None:
    """What waits in the store, since when, what is missing, and how each device is doing."""
    settings = load(bootstrap)
    path = store_file(settings)
    try:
        stats, last_ts = store.read_stats(path)
        gaps = _gaps(path)
    except (sqlite3.Error, msgspec.DecodeError) as error:
        output.fail(f"{path} cannot be read: {error}; start the edge, which repairs it", output.FAILED)
    told = _told(path.parent)
    if as_json:
        known = {"store": str(path), "limit": settings.store_limit, "last_ts": last_ts, "gaps": gaps, "told": told}
        output.emit(msgspec.to_builtins(stats) | known)
        return
    _show_store(path, stats, last_ts, settings.store_limit)
    for gap in gaps[:_GAPS_SHOWN]:
        output.say(f"gap      {output.moment(gap.start)} to {output.moment(gap.end)}  {gap.reason}")
    if len(gaps) > _GAPS_SHOWN:
        output.say(f"         and {len(gaps) - _GAPS_SHOWN} more")
    if told is None:
        output.say("devices  not told yet; the edge tells them while it runs")
    else:
        _show_devices(told)


def load(bootstrap: Path) -> Settings:
    try:
        return check_bootstrap(read_yaml(bootstrap), bootstrap.resolve().parent)
    except ConfigError as error:
        output.fail(str(error), output.WRONG)


def store_file(settings: Settings) -> Path:
    if settings.store is None:
        output.fail("this edge buffers in memory; give it a store to look at", output.FAILED)
    path = settings.store / store.FILE
    if not path.exists():
        output.fail(f"{path} is not there; the edge has never run on this store", output.FAILED)
    return path


def _gaps(path: Path) -> list[Gap]:
    """Those that wait for a batch to carry them, and those that waiting batches carry."""
    decoder = msgspec.json.Decoder(list[Gap])
    with store.reading(path) as db:
        carried = db.execute("SELECT gaps FROM batch WHERE gaps IS NOT NULL ORDER BY id").fetchall()
        found = [gap for row in carried for gap in decoder.decode(row[0])]
        return found + decoder.decode(store.get_meta(db, "gaps") or b"[]")


def _told(directory: Path) -> EdgeStatus | None:
    """What the edge last said of itself; None where it said nothing that can be read."""
    try:
        return msgspec.json.decode((directory / status_report.FILE).read_bytes(), type=EdgeStatus)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _show_store(path: Path, stats: Stats, last_ts: int | None, limit: int) -> None:
    output.say(f"store    {path}")
    output.say(f"backlog  {stats.batches} batches, {output.size(stats.size)} of {output.size(limit)}")
    output.say(f"oldest   {output.moment(stats.oldest)}{_ago(stats.oldest)}")
    output.say(f"newest   {output.moment(stats.newest)}{_ago(stats.newest)}")
    output.say(f"last ts  {output.moment(last_ts)}")
    for boot, count in stats.boots.items():
        output.say(f"boot     {boot}  {count} batches")


def _show_devices(told: EdgeStatus) -> None:
    age = time.time() * 1000 - told.ts
    when = f"{output.span(age / 1000)} ago" + (", the edge does not seem to run" if age > _STALE_MS else "")
    output.say(f"told     {output.moment(told.ts)}, {when}")
    output.say(f"edge     {told.software}, boot {told.boot}, configuration {told.revision}")
    for what, why in told.problems.items():
        output.say(f"problem  {what}: {why}")
    if told.config_problem:
        output.say(f"problem  a new configuration was refused: {told.config_problem}")
    if told.dropped:
        output.say(f"dropped  {told.dropped} batches in this boot: the buffer was full")
    columns = {"DEVICE": "left", "GOOD": "right", "POINTS": "right", "ANSWERED": "left", "PROBLEM": "left"}
    output.table(columns, [_device(device) for device in told.devices])


def _device(device: DeviceHealth) -> list[str | Text]:
    colour = "green" if device.good == device.points else "yellow" if device.good else "red"
    problem = f"{device.reason} since {output.moment(device.since)}" if device.reason else ""
    return [
        device.key,
        Text(str(device.good), colour),
        str(device.points),
        output.moment(device.answered) + _ago(device.answered),
        problem,
    ]


def _ago(ms: int | None) -> str:
    return "" if ms is None else f" ({output.span(max(time.time() - ms / 1000, 0))} ago)"
