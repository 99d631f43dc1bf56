"""The telemetry batch: the unit on the wire, of acknowledgement and in the hot store.

    {v, edge, boot, seq, sent, gaps?,
     readings: [{ts, values: {point_key: number | null}, quality?: {point_key: reason}}]}

Times are ms since the epoch, UTC. `quality` is there only for what is not good: a null value with a reason is bad,
a value with a reason is uncertain. `boot` is a UUID made at each process start; (boot, seq) names the batch
for ever and its bytes never change. Order is seq, not time.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from ems_contract.points import is_point_key

MAX_BATCH_BYTES = 1_048_576
MAX_READINGS = 4_096
MAX_SEQ = 2**63 - 2
"""The receipt's ranges are half open and 64 bits wide."""
MAX_FUTURE_MS = 300_000
"""A sample further ahead than this is set aside; one more than LATEST_FUTURE_MS ahead never becomes latest."""
LATEST_FUTURE_MS = 60_000


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values of several points at one instant."""

    ts: int
    values: dict[str, float | None]
    quality: dict[str, str] | None = None


class Gap(msgspec.Struct, frozen=True, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """A span for which the edge knows that samples are missing.

    `start` and `end` in ms. When it had to give up batches it had made, `boot`, `seq_from` and `seq_to` name them,
    and history enters them in the receipt as done.
    """

    start: int
    end: int
    reason: str
    boot: str | None = None
    seq_from: int | None = None
    seq_to: int | None = None


GAP_EDGE_DOWN = "edge_down"
GAP_BUFFER_FULL = "buffer_full"
GAP_BUFFER_EXPIRED = "buffer_expired"
GAP_STORE_CORRUPT = "store_corrupt"
GAP_POISON = "poison"


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """See the module. `seq` starts at 1 at each boot; `sent` is when the edge made the batch."""

    v: int
    edge: str
    boot: str
    seq: int
    sent: int
    readings: list[Reading]
    gaps: list[Gap] | None = None


class Envelope(msgspec.Struct, frozen=True):
    """The head of a batch alone, for whoever needs its name and not its samples."""

    v: int
    edge: str
    boot: str
    seq: int
    sent: int


class BatchRefusedError(ValueError):
    """The batch must be set aside. `field` says where, the message says why and what is expected.

    `boot` and `seq` are known when the head could be read, so that the receipt can be closed up.
    """

    def __init__(self, field: str, problem: str, *, boot: str | None = None, seq: int | None = None) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.boot = boot
        self.seq = seq


_batch = msgspec.json.Decoder(Batch)
_envelope = msgspec.json.Decoder(Envelope)
_encoder = msgspec.json.Encoder()


def encode_batch(batch: Batch) -> bytes:
    """UTF-8 JSON. A value that is NaN or infinite is a fault of the producer: ValueError."""
    for reading in batch.readings:
        for key, value in reading.values.items():
            if value is not None and not math.isfinite(value):
                raise ValueError(f"readings.values.{key}: {value} is not a number; send null with a reason")
    return _encoder.encode(batch)


def decode_batch(payload: bytes, *, edge: str | None = None) -> Batch:
    """Decode and check everything that does not need history. Raises BatchRefusedError.

    `edge` is the name that the key or channel gave; a payload that says otherwise is refused.
    Point keys are not checked here (it would cost a regex for each value): see `check_keys`.
    """
    if len(payload) > MAX_BATCH_BYTES:
        raise BatchRefusedError("batch", f"{len(payload)} bytes; at most {MAX_BATCH_BYTES} are accepted")
    try:
        batch = _batch.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        boot, seq = _identify(payload)
        raise BatchRefusedError("batch", f"not a batch: {error}", boot=boot, seq=seq) from None

    def refuse(field: str, problem: str) -> BatchRefusedError:
        known = _is_uuid(batch.boot) and 1 <= batch.seq <= MAX_SEQ
        return BatchRefusedError(field, problem, boot=batch.boot if known else None, seq=batch.seq if known else None)

    if batch.v != 1:
        raise refuse("v", f"version {batch.v} is not known; send 1")
    if edge is not None and batch.edge != edge:
        raise refuse("edge", f"the payload says {batch.edge!r:.80}, its key says {edge!r}")
    if not _is_uuid(batch.boot):
        raise refuse("boot", f"{batch.boot!r:.80} is not a UUID in its 36 character form")
    if not 1 <= batch.seq <= MAX_SEQ:
        raise refuse("seq", f"{batch.seq} is not in 1..2^63-2")
    if len(batch.readings) > MAX_READINGS:
        raise refuse("readings", f"{len(batch.readings)} readings; at most {MAX_READINGS} in one batch")
    for gap in batch.gaps or ():
        if gap.end < gap.start:
            raise refuse("gaps", f"a gap ends at {gap.end}, before it starts at {gap.start}")
        if gap.boot is not None and not (
            _is_uuid(gap.boot) and gap.seq_from and gap.seq_to and 1 <= gap.seq_from <= gap.seq_to <= MAX_SEQ
        ):
            raise refuse("gaps", "a gap with a boot needs that boot's UUID and 1 <= seq_from <= seq_to")
    return batch


def check_keys(keys: Mapping[str, object] | set[str]) -> None:
    """Raises BatchRefusedError for the first key that is no point key."""
    for key in keys:
        if not is_point_key(key):
            raise BatchRefusedError(
                "readings.values", f"{key!r:.120} is not a point key such as 'grid_meter.active_power'"
            )


def _identify(payload: bytes) -> tuple[str | None, int | None]:
    try:
        head = _envelope.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    if not _is_uuid(head.boot) or not 1 <= head.seq <= MAX_SEQ:
        return None, None
    return head.boot, head.seq


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and _names_uuid(text)  # the length first: what is remembered must be small


@lru_cache(maxsize=4_096)
def _names_uuid(text: str) -> bool:
    """Remembered, because every batch of an edge's life carries the same one."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
