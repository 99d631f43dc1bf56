"""Telemetry batches of the contract, all of one size, made fast; and the marker by which a received one is counted."""

from __future__ import annotations

import time
from collections.abc import Callable

BOOT = "6f1f3f0e-52f5-4d62-9d3c-7a7f1f6f3a10"
FIRST_SEQ = 1_000_000_001
"""Ten digits, and ten they stay: every batch has the same length."""

MARKER = b"888888888888}}]}"
"""How each batch ends, and nothing else does: a register of energy, then the brackets.

Whoever has counted it has received the batch to its last byte. It is long, and of characters that are rare in the rest,
so `bytearray.count` skips through a stream at several GB/s.
"""

_BRACKET = MARKER.index(b"]")
_LONG = 4_000

_HEAD = b'{"v":1,"edge":"edge_%d","boot":"%b","seq":'
_VALUES = b'"values":{"grid_meter.active_power":'
SMALLEST = 240


def counter(size: int) -> Callable[[bytearray, int], int]:
    """How many batches of that size end in the first so many bytes of a buffer, the faster of two ways."""
    return _by_bracket if size >= _LONG else _by_marker


def _by_marker(buffer: bytearray, end: int) -> int:
    return buffer.count(MARKER, 0, end)


def _by_bracket(buffer: bytearray, end: int) -> int:
    """A long batch has hardly a `]`, and to look for one byte costs next to nothing."""
    found, at = 0, buffer.find(b"]", 0, end)
    while at >= 0:
        found += buffer.startswith(MARKER, max(0, at - _BRACKET), end)
        at = buffer.find(b"]", at + 1, end)
    return found


class Batches:
    """Of one edge. `size` in bytes, at least SMALLEST."""

    def __init__(self, edge: int, size: int) -> None:
        self._seq = FIRST_SEQ - 1
        self._head = _HEAD % (edge, BOOT.encode())
        self._tail = b"%b%d.5" % (_VALUES, 100_000 + edge)
        self._tail += _tail(size - len(self.next()))
        self._seq = FIRST_SEQ - 1

    @property
    def seq(self) -> int:
        """Of the last one."""
        return self._seq

    def next(self) -> bytes:
        self._seq += 1
        now = time.time_ns() // 1_000_000
        return b'%b%d,"sent":%d,"readings":[{"ts":%d,%b' % (self._head, self._seq, now, now, self._tail)


def _tail(length: int) -> bytes:
    """More points, to the byte: the last one's name is as long as is left."""
    end = b',"grid_meter.%b":' + MARKER
    left = length - len(end % b"")
    if left < 1:
        raise ValueError(f"a batch has at least {SMALLEST} bytes")
    points: list[bytes] = []
    while left > 40:
        points.append(b',"m_%04d.power":%d.25' % (len(points), 10_000 + len(points)))
        left -= len(points[-1])
    return b"".join(points) + end % (b"imported_energy_since_the_site_was_built"[:left])
