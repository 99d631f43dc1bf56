"""Batches that cannot be understood, put into an edge's stream between good ones."""

from __future__ import annotations

import time
import uuid

import msgspec
from ems_contract import keys
from ems_contract.telemetry import Batch, Reading, encode_batch
from ems_stack.stack import Stack

from ems_prove import history
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.waiting import eventually

POINT = "proof.value"


def poisons(edge: str, boot: str, ts: int) -> dict[str, bytes]:
    """What is wrong -> the payload. `ts` is now, in ms."""
    sound = msgspec.to_builtins(Batch(1, edge, boot, 1, ts, [Reading(ts, {POINT: 1.0})]))

    def but(seq: int, **changes: object) -> bytes:
        return msgspec.json.encode({**sound, "seq": seq, **changes})

    return {
        "not JSON": b"\x00\x01 nonsense",
        "bad UTF-8": b'{"v":1,"edge":"\xff\xfe"}',
        "closes the envelope early": b'{}],"type":"telemetry","site":"site_9","batches":[{',
        "nested 100,000 deep": b"[" * 100_000,
        "another edge's name": but(101, edge="edge_999999"),
        "a version from nowhere": but(102, v=99),
        "a value that is a text": but(103, readings=[{"ts": ts, "values": {POINT: "12"}}]),
        "a time in the far future": but(104, readings=[{"ts": ts + 86_400_000, "values": {POINT: 1.0}}]),
        "a key that is none": but(105, readings=[{"ts": ts, "values": {"<script>": 1.0}}]),
        "NaN": b'{"v":1,"edge":"%b","boot":"%b","seq":106,"sent":1,"readings":[{"ts":1,"values":{"a.b":NaN}}]}'
        % (edge.encode(), boot.encode()),
    }


def set_aside(stack: Stack) -> tuple[int, int, bool]:
    """(poison batches sent, set aside with a reason, whether every good batch around them is in history)."""
    demo_site = stack.sites[0]
    stream = keys.telemetry_stream(demo_site.id, demo_site.edge_id)
    edge, boot, now = keys.edge_name(demo_site.edge_id), str(uuid.uuid4()), int(time.time() * 1000)
    bad = poisons(edge, boot, now)
    redis = stack.redis()
    before = _set_aside(stack)
    for number, payload in enumerate(bad.values(), 1):
        good = Batch(1, edge, boot, number, now, [Reading(now + number, {POINT: float(number)})])
        redis.xadd(stream, {keys.STREAM_FIELD: payload})
        redis.xadd(stream, {keys.STREAM_FIELD: encode_batch(good)})
    redis.close()
    with stack.client("platform_admin") as client:

        def stored() -> bool:
            found = history.samples(client, demo_site.id, [POINT], now, now + 60_000)[POINT]
            return [value for _, value in found] == [float(number) for number in range(1, len(bad) + 1)]

        try:
            eventually("the good batches in history", stored, 20)
        except TimeoutError:
            return len(bad), _set_aside(stack) - before, False
    return len(bad), _set_aside(stack) - before, True


def measure(lab: Lab) -> Outcome:
    sent, aside, good = set_aside(lab.stack)
    return Outcome(
        f"{aside} of {sent} poison batches set aside with their reason, good batches "
        + ("all in history" if good else "MISSING in history"),
        "all set aside, none of the good ones held up",
        aside == sent and good,
    )


def _set_aside(stack: Stack) -> int:
    with stack.history_database() as connection:
        row = connection.execute("SELECT count(*) FROM poison WHERE reason <> ''").fetchone()
        return int(str(row[0])) if row else 0
