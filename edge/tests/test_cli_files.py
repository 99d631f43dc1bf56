"""validate, profiles, status and buffer export: what files say, while nobody is disturbed."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import yaml
from edge_support.bench import ems_edge, typed
from ems_contract.edge_events import DeviceHealth, EdgeStatus
from ems_contract.telemetry import Batch, Gap, Reading, encode_batch
from ems_edge import store
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer
from ems_edge.main import app
from typer.main import get_command

KEY = "ems_abc123_thesecretthatnobodysees"
BOOT = str(uuid.uuid4())
BEGIN = 1_790_000_000_000
PROFILES = Path(__file__).parents[1] / "src/ems_edge/profiles"


def batch(seq: int) -> NewBatch:
    ts = BEGIN + seq * 1000
    reading = Reading(ts, {"m.power": 1500.5 + seq, "m.voltage": None}, {"m.voltage": "timeout"})
    gaps = [Gap(BEGIN - 5000, BEGIN, "edge_down")] if seq == 1 else None
    payload = encode_batch(Batch(1, "edge_1", BOOT, seq, ts, [reading], gaps))
    return NewBatch(Name(BOOT, seq), payload, ts, ts, tuple(gaps or ()))


@pytest.fixture
def bootstrap(tmp_path: Path) -> Path:
    file = tmp_path / "edge.yaml"
    file.write_text(yaml.safe_dump({"url": "http://127.0.0.1:8000", "key": KEY, "store": "store"}))
    return file


@pytest.fixture
async def buffer(bootstrap: Path) -> AsyncIterator[SqliteBuffer]:
    """The store of an edge that runs, with three batches and a gap."""
    found = SqliteBuffer(bootstrap.parent / "store" / store.FILE, 10**9)
    await found.open()
    for seq in (1, 2, 3):
        await found.append(batch(seq))
    yield found
    await found.close()


def test_many_files_are_checked_and_every_mistake_is_told(tmp_path: Path, bootstrap: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("profile: wrong\nname: Wrong\ndriver: modbus\npoints: []\n")
    good = PROFILES / "stl_meter.yaml"
    said = typed("validate", good, wrong, bootstrap, tmp_path / "none.yaml")
    assert said.code == 2
    assert said.out.splitlines()[0] == f"{good}: profile stl_meter, 13 points"
    assert f"{wrong}:4: points: has no point; add at least one" in said.err
    assert "none.yaml: cannot be read" in said.err
    assert "2 of 4 files are wrong" in said.err
    answers = json.loads(typed("validate", good, wrong, "--json").out)
    assert [answer["good"] for answer in answers] == [True, False]
    assert (answers[1]["line"], answers[1]["field"], answers[1]["remedy"]) == (4, "points", "add at least one")


def test_profiles_are_listed_with_maker_points_and_what_they_rest_on() -> None:
    said = typed("profiles", "gavazzi", "em340")
    assert said.rows == [
        ["carlo_gavazzi_em340", "Carlo", "Gavazzi", "EM340", "three-phase", "meter", "modbus", "21", "yes"]
    ]
    told = json.loads(typed("profiles", "eastron_sdm120", "--json").out)[0]
    assert told["verified"] is False
    assert "was not read" in told["source"]
    assert {"key": "voltage", "name": "Voltage", "unit": "V", "kind": "gauge", "writable": False} in told["points"]


async def test_status_tells_backlog_gaps_and_the_health_of_each_device(bootstrap: Path, buffer: SqliteBuffer) -> None:
    now = time.time_ns() // 1_000_000
    devices = [DeviceHealth("m", 2, 1, now - 3000, "timeout", now - 60_000), DeviceHealth("battery", 11, 11, now)]
    told = EdgeStatus(1, BOOT, "ems-edge 0.1.0", now, "17", 3, 600, devices, problems={"redis": "refused"})
    (bootstrap.parent / "store" / "status.json").write_bytes(msgspec.json.encode(told))
    said = await ems_edge("status", bootstrap)
    assert said.code == 0
    assert "gap      2026-09-21T14:13:15.000+00:00 to 2026-09-21T14:13:20.000+00:00  edge_down" in said.out
    assert "problem  redis: refused" in said.out
    assert said.rows[-2][:3] == ["m", "1", "2"]
    assert "timeout since" in said.out
    assert said.rows[-1][:3] == ["battery", "11", "11"]
    answer = json.loads((await ems_edge("status", bootstrap, "--json")).out)
    assert (answer["batches"], answer["boots"], answer["told"]["revision"]) == (3, {BOOT: 3}, "17")
    assert answer["gaps"] == [{"from": BEGIN - 5000, "to": BEGIN, "reason": "edge_down"}]


async def test_a_status_that_is_old_says_so(bootstrap: Path, buffer: SqliteBuffer) -> None:
    told = EdgeStatus(1, BOOT, "ems-edge 0.1.0", BEGIN - 10**9, "17", 3, 600, [])
    (bootstrap.parent / "store" / "status.json").write_bytes(msgspec.json.encode(told))
    assert "the edge does not seem to run" in (await ems_edge("status", bootstrap)).out


async def test_batches_are_exported_byte_for_byte_and_nothing_is_deleted(
    bootstrap: Path, buffer: SqliteBuffer, tmp_path: Path
) -> None:
    file = tmp_path / "waiting.ndjson"
    said = await ems_edge("buffer", "export", bootstrap, file)
    assert (said.code, said.err) == (0, "3 batches exported\n")
    assert file.read_bytes().splitlines() == [batch(seq).payload for seq in (1, 2, 3)]
    assert (await buffer.stats()).batches == 3
    again = await ems_edge("buffer", "export", bootstrap, file)
    assert again.code == 1
    assert "is there already; name another file, or add --force" in again.err
    assert (await ems_edge("buffer", "export", bootstrap, file, "--force")).code == 0


async def test_samples_are_exported_as_csv(bootstrap: Path, buffer: SqliteBuffer) -> None:
    said = await ems_edge("buffer", "export", bootstrap, "-", "--format", "csv")
    rows = list(csv.reader(io.StringIO(said.out)))
    assert rows[0] == ["ts", "point", "value", "reason", "boot", "seq"]
    assert rows[1] == ["2026-09-21T14:13:21.000+00:00", "m.power", "1501.5", "", BOOT, "1"]
    assert rows[2] == ["2026-09-21T14:13:21.000+00:00", "m.voltage", "", "timeout", BOOT, "1"]
    assert len(rows) == 7


async def test_a_damaged_batch_is_left_out_and_told(bootstrap: Path, buffer: SqliteBuffer) -> None:
    with sqlite3.connect(bootstrap.parent / "store" / store.FILE) as db:
        db.execute("UPDATE batch SET checksum = checksum + 1 WHERE seq = 2")
    db.close()
    said = await ems_edge("buffer", "export", bootstrap, "-")
    assert said.code == 1
    assert len(said.out.splitlines()) == 2
    assert "left out as damaged: 1" in said.err


def test_every_command_has_a_help_of_one_sentence() -> None:
    root = get_command(app)
    commands = getattr(root, "commands", {})
    assert set(commands) >= {
        "run", "fleet", "validate", "profiles", "scan", "probe", "read", "write", "status", "buffer",
    }  # fmt: skip
    for name, command in commands.items():
        assert command.get_short_help_str(limit=200), name
    assert typed("--version").out.startswith("ems-edge ")
