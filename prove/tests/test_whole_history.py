"""The comparison sees what it is there to see."""

from __future__ import annotations

import numpy as np
from ems_prove.whole_history import Comparison, Series


def series(*samples: tuple[int, float]) -> Series:
    return np.array([ts for ts, _ in samples], np.int64), np.array([value for _, value in samples])


MADE = series((1_000, 1.0), (2_000, 2.0), (3_000, 3.0))


def against(stored: Series) -> tuple[int, int, int]:
    """(lost, wrong, more)"""
    comparison = Comparison()
    comparison.add(MADE, stored)
    assert comparison.made == 3
    assert comparison.clean is ((comparison.lost, comparison.wrong, comparison.more) == (0, 0, 0))
    return comparison.lost, comparison.wrong, comparison.more


def test_what_is_whole_is_clean() -> None:
    assert against(MADE) == (0, 0, 0)


def test_a_sample_that_is_missing_is_lost_wherever_it_is() -> None:
    assert against(series((2_000, 2.0), (3_000, 3.0))) == (1, 0, 0)
    assert against(series((1_000, 1.0), (3_000, 3.0))) == (1, 0, 0)
    assert against(series((1_000, 1.0), (2_000, 2.0))) == (1, 0, 0)
    assert against(series()) == (3, 0, 0)


def test_another_value_and_one_in_doubt_are_wrong() -> None:
    assert against(series((1_000, 1.0), (2_000, 2.5), (3_000, float("nan")))) == (0, 2, 0)


def test_a_sample_twice_and_one_that_nobody_made_are_more() -> None:
    assert against(series((1_000, 1.0), (2_000, 2.0), (2_000, 2.0), (3_000, 3.0))) == (0, 0, 1)
    assert against(series((1_000, 1.0), (2_000, 2.0), (2_500, 2.0), (3_000, 3.0))) == (0, 0, 1)


def test_nothing_at_all_is_not_clean() -> None:
    assert not Comparison().clean
