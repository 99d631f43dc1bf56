"""Faults on demand. This module only says which are active; `devices` and `modbus` act on it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Literal

import msgspec


class FaultKind(StrEnum):
    LINK_CUT = "link_cut"
    """Site: connections are dropped, new ones refused. Device: its unit does not answer."""
    COUNTER_RESET = "counter_reset"
    """The energy counters begin again at 0, now; `reads` goes on. An event: it cannot be taken back."""
    STUCK = "stuck"
    """The values freeze; the device still answers, and counts."""
    GARBAGE = "garbage"
    """`style` frames: answers that are no valid frames. words: valid frames with random words."""
    SLOW_ANSWER = "slow_answer"
    """Answers come `delay` s late; other units on the same connection do not wait."""
    EXCEPTION = "exception"
    """Answers are Modbus exceptions, `code`."""


class FaultRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`device` None: the whole site. `seconds` None: until it is cleared."""

    kind: FaultKind
    device: str | None = None
    seconds: float | None = None
    delay: float = 1.0
    style: Literal["frames", "words"] = "frames"
    code: int = 4


class Fault(msgspec.Struct, frozen=True):
    """A fault that is active until `until` (monotonic seconds), or until it is cleared."""

    id: str
    request: FaultRequest
    until: float | None


class Faults:
    """The faults of one site. `now` is a monotonic clock in s."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, request: FaultRequest) -> str:
        """Start a fault; returns its id."""
        until = None if request.seconds is None else self._now() + request.seconds
        fault = Fault(f"fault_{next(self._ids)}", request, until)
        if request.kind is not FaultKind.COUNTER_RESET:
            self._faults.append(fault)
        return fault.id

    def clear(self, fault_id: str | None = None) -> int:
        """End one fault, or all of them; returns how many."""
        kept = [fault for fault in self.active() if fault_id not in (None, fault.id)]
        ended = len(self._faults) - len(kept)
        self._faults = kept
        return ended

    def active(self) -> list[Fault]:
        """Oldest first."""
        now = self._now()
        self._faults = [fault for fault in self._faults if fault.until is None or fault.until > now]
        return self._faults

    def on(self, kind: FaultKind, device: str) -> FaultRequest | None:
        """The newest active fault of this kind that hits the device."""
        if not self._faults:
            return None
        for fault in reversed(self.active()):
            if fault.request.kind is kind and fault.request.device in (None, device):
                return fault.request
        return None

    def link_is_cut(self) -> bool:
        """The whole site is unreachable."""
        return any(fault.request.kind is FaultKind.LINK_CUT and fault.request.device is None for fault in self.active())
