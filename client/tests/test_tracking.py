"""The seq rules: what is new in a frame, and what must have been missed."""

from __future__ import annotations

from client_support.frames import SERVER_TIME, batch, merged
from ems_client import Hole
from ems_client.tracking import Tracker

OTHER_BOOT = "0f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5"


def at(second: int) -> int:
    return SERVER_TIME + second * 1000


def opened(*images: int) -> Tracker:
    tracker = Tracker("site_7")
    assert tracker.snapshot([batch(seq) for seq in images], None, whole=True) == []
    return tracker


def test_what_the_snapshot_has_is_not_yielded_again() -> None:
    fresh, holes = opened(41).fresh([batch(40), batch(41), batch(42)])
    assert [found.seq for found in fresh] == [42]
    assert holes == []


def test_a_skipped_seq_is_a_hole_between_the_samples_at_its_rims() -> None:
    fresh, holes = opened(41).fresh([batch(44)])
    assert [found.seq for found in fresh] == [44]
    assert holes == [Hole("site_7", "edge_1", at(41), at(44))]


def test_a_merged_range_that_continues_is_no_hole() -> None:
    tracker = opened(41)
    found, holes = tracker.fresh([merged(42, 50)])
    assert (len(found), holes) == (1, [])
    found, holes = tracker.fresh([merged(45, 50)])  # seen
    assert (found, holes) == ([], [])
    found, holes = tracker.fresh([merged(49, 53)])  # overlaps what was seen
    assert (len(found), holes) == (1, [])


def test_a_loss_inside_an_interval_shows_as_a_hole() -> None:
    _, holes = opened(41).fresh([merged(42, 44), merged(46, 50)])
    assert holes == [Hole("site_7", "edge_1", at(44), at(50))]


def test_edges_of_a_site_are_counted_apart() -> None:
    tracker = opened(41)
    _, holes = tracker.fresh([batch(9, edge="edge_2"), batch(42), batch(10, edge="edge_2")])
    assert holes == []
    _, holes = tracker.fresh([batch(12, edge="edge_2"), batch(43)])
    assert holes == [Hole("site_7", "edge_2", at(10), at(12))]


def test_another_boot_is_a_hole_because_nobody_knows_what_the_old_one_still_made() -> None:
    tracker = opened(41)
    fresh, holes = tracker.fresh([batch(1, at(60), boot=OTHER_BOOT)])
    assert len(fresh) == 1
    assert holes == [Hole("site_7", "edge_1", at(41), at(60))]
    fresh, holes = tracker.fresh([batch(42), batch(2, at(61), boot=OTHER_BOOT)])  # both are still on their way
    assert [found.seq for found in fresh] == [42, 2]
    assert holes == []


def test_a_snapshot_that_shows_nothing_new_proves_that_nothing_was_missed() -> None:
    assert opened(41).snapshot([batch(41)], since=at(30), whole=True) == []


def test_a_snapshot_after_a_gap_tells_each_edge_s_hole() -> None:
    tracker = Tracker("site_7")
    tracker.snapshot([batch(41), batch(7, edge="edge_2")], None, whole=True)
    holes = tracker.snapshot([batch(45), batch(7, edge="edge_2"), batch(50, edge="edge_3")], at(40), whole=True)
    assert holes == [Hole("site_7", "edge_1", at(41), at(45)), Hole("site_7", "edge_3", at(40), at(50))]


def test_an_image_that_is_older_than_what_was_seen_is_followed_by_what_it_does_not_have() -> None:
    """Or a program that takes the image for the newest would show it until the next sample of each point."""
    tracker = opened(41)
    assert tracker.snapshot([batch(40)], None, whole=False) == []
    assert tracker.fresh([batch(40), batch(41)]) == ([batch(41)], [])


def test_a_batch_without_samples_counts_by_when_it_was_sent() -> None:
    tracker = opened(41)
    fresh, holes = tracker.fresh([type(batch(1))(1, "edge_1", batch(1).boot, 43, at(50), [])])
    assert len(fresh) == 1
    assert holes == [Hole("site_7", "edge_1", at(41), at(50))]


def test_an_edge_that_restarts_again_and_again_does_not_grow_what_is_remembered() -> None:
    tracker = opened(41)
    for number in range(100):
        tracker.fresh([batch(1, boot=f"{number:08d}-3b4a-4c5d-8e6f-708192a3b4c5")])
    assert len(tracker._edges["edge_1"].boots) == 2
