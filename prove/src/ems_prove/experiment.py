"""What an experiment is: a name, a promise, and a function that measures it on a real stack."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ems_prove.lab import Lab


@dataclass(frozen=True)
class Outcome:
    """What was measured. `figure` and `aim` in words with units; `met` is computed from the measurement."""

    figure: str
    aim: str
    met: bool


@dataclass(frozen=True)
class Experiment:
    """`minutes`: about how long the full form takes."""

    name: str
    promise: str
    minutes: float
    measure: Callable[[Lab], Outcome]


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile, `share` in 0..1. Raises ValueError for no values."""
    if not values:
        raise ValueError("a percentile of nothing was asked for; the experiment measured no value")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
