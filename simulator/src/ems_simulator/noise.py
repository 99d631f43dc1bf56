"""Seeded noise without state: the value at an instant depends on the seed, a name and the instant alone.

So a history that was generated yesterday and a simulator that starts today agree, whatever was asked before.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@cache
def _stream(seed: int, name: str) -> np.uint64:
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))


def bits(seed: int, name: str, index: Ints) -> NDArray[np.uint64]:
    """64 independent bits for each index (splitmix64 of stream and index)."""
    x = index.astype(np.uint64) * _GOLDEN + _stream(seed, name)
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def white(seed: int, name: str, index: Ints) -> Floats:
    """Uniform in [-1, 1), independent for each index."""
    return (bits(seed, name, index) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def smooth(seed: int, name: str, period: int, seconds: Ints) -> Floats:
    """In [-1, 1], continuous in time: random values every `period` seconds, eased from one to the next."""
    knot, rest = np.divmod(seconds, period)
    first = int(knot.min())
    values = white(seed, name, np.arange(first, int(knot.max()) + 2))
    left = knot - first
    share = rest / period
    eased = share * share * (3.0 - 2.0 * share)
    start = values[left]
    eased *= values[left + 1] - start
    eased += start
    return eased
