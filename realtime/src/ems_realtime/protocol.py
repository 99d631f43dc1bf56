"""Frames: the client's, parsed strictly, and the service's, encoded. Pure; the shapes are `ems_contract.frames`."""

from __future__ import annotations

import msgspec
from ems_contract import keys
from ems_contract.alerts import AlertEvent
from ems_contract.commands import CommandEvent
from ems_contract.control import ControlEvent
from ems_contract.frames import (
    Alert,
    ClientFrame,
    CommandChanged,
    ControlChanged,
    ErrorCode,
    ErrorFrame,
    Merged,
    MergedBatch,
    ServerFrame,
    join_batches,
)
from ems_contract.telemetry import Batch, BatchRefusedError, decode_batch

from ems_realtime.wire import text_frame

MAX_EVENT = 64 * 1024
"""Bytes of one event of an alert, a command or a rule."""

NOT_FOUND = "No such site, or you may not view it."
"""The same words for a foreign site and for one that does not exist."""

_client = msgspec.json.Decoder(ClientFrame)
_alert = msgspec.json.Decoder(AlertEvent)
_command = msgspec.json.Decoder(CommandEvent | ControlEvent)
_encoder = msgspec.json.Encoder()


class BadMessageError(ValueError):
    """The client sent something that is no frame of `ems.v1`. The message says what, without repeating its content."""


class PayloadRefusedError(ValueError):
    """What came from Redis must not be forwarded. `reason` is one word, for counting."""

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


def parse(text: str) -> ClientFrame:
    """Raises BadMessageError. A field that is not known is ignored, a wrong or missing one is refused."""
    try:
        frame: ClientFrame = _client.decode(text)
    except msgspec.ValidationError as error:
        problem = "unknown type" if str(error).startswith("Invalid value") else str(error)
        raise BadMessageError(f"not a frame of ems.v1: {problem}"[:120]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadMessageError("not a JSON object") from None
    return frame


def encode(frame: ServerFrame) -> bytes:
    """One server frame, ready for any number of wires."""
    return text_frame(_encoder.encode(frame))


def not_found(site: str) -> bytes:
    """The answer to a subscribe that is not granted. A name that cannot be a site's is not echoed."""
    return encode(ErrorFrame(ErrorCode.SITE_NOT_FOUND, NOT_FOUND, site if site_id(site) is not None else None))


def error(code: ErrorCode, message: str) -> bytes:
    return encode(ErrorFrame(code, message))


def telemetry(site: str, batches: list[bytes]) -> bytes:
    return text_frame(join_batches("telemetry", site, batches))


def merged(site: str, interval: int, batches: list[MergedBatch]) -> bytes:
    return encode(Merged(site, interval, batches))


def snapshot(site: str, batches: list[bytes]) -> bytes:
    return text_frame(join_batches("snapshot", site, batches))


def site_id(name: str) -> int | None:
    """`site_7` -> 7; None for anything that is not a site's name."""
    try:
        return keys.site_id(name)
    except ValueError:
        return None


def check_batch(payload: bytes, *, edge: str | None = None) -> Batch:
    """Decoded, if the payload may be joined into a frame as it is. Raises PayloadRefusedError.

    `edge` is the name that its key gave. Decoding alone is not enough: strings of fields that the contract does not
    know are skipped without a look at their UTF-8, and one bad byte would make every browser close its socket.
    """
    try:
        payload.decode()
        batch = decode_batch(payload, edge=edge)
        keys.edge_id(batch.edge)
    except UnicodeDecodeError as error:
        raise PayloadRefusedError("utf8", f"not UTF-8 at byte {error.start}") from None
    except BatchRefusedError as error:
        raise PayloadRefusedError("batch", str(error)) from None
    except ValueError as error:
        raise PayloadRefusedError("edge", str(error)) from None
    return batch


def alert(site: str, payload: bytes) -> bytes:
    """An `alert` frame. Decoded and encoded anew, so that only declared fields pass. Raises PayloadRefusedError."""
    if len(payload) > MAX_EVENT:
        raise PayloadRefusedError("alert", f"an event of {len(payload)} bytes")
    try:
        return encode(Alert(site, _alert.decode(payload)))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PayloadRefusedError("alert", f"not an alert event: {error}") from None


def command(site: str, payload: bytes) -> bytes:
    """A `command` or a `control` frame, as with `alert`. Raises PayloadRefusedError."""
    if len(payload) > MAX_EVENT:
        raise PayloadRefusedError("command", f"an event of {len(payload)} bytes")
    try:
        event: CommandEvent | ControlEvent = _command.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PayloadRefusedError("command", f"neither a command's event nor a rule's: {error}") from None
    return encode(CommandChanged(site, event) if isinstance(event, CommandEvent) else ControlChanged(site, event))
