"""The protocol without a network: what is said when, and what the program is told. Time is a number."""

from __future__ import annotations

import json
from typing import Any

import pytest
from client_support import frames
from client_support.frames import SERVER_TIME
from ems_client import EndReason, Gap, Grant, LinkState, Refused, Snapshot, StateChange, Telemetry
from ems_client.link import Due, Link, Phase
from ems_contract.frames import CloseCode


def link(*, fixed_token: bool = False, random: float = 0.5) -> Link:
    return Link(fixed_token=fixed_token, random=lambda: random, now=0.0, now_ms=SERVER_TIME)


def opened(*sites: str, expires_in: float = 600.0, fixed_token: bool = False, now: float = 0.0) -> Link:
    """Open since `now`, with these sites granted and subscribed, and nothing left to take."""
    found = link(fixed_token=fixed_token)
    found.subscribe(sites, 0, now)
    reopen(found, *sites, expires_in=expires_in, now=now)
    return found


def reopen(found: Link, *sites: str, expires_in: float = 600.0, now: float) -> list[dict[str, Any]]:
    found.connecting(now)
    found.opened("secret", now)
    assert said(found) == [{"type": "auth", "token": "secret"}]
    found.received(frames.welcome(*sites, expires_in=expires_in), now)
    found.events()
    return said(found)


def said(found: Link) -> list[dict[str, Any]]:
    return [json.loads(text) for text in found.to_send()]


def told(found: Link, kind: type[Any]) -> list[Any]:
    return [event for event in found.events() if isinstance(event, kind)]


def test_the_token_is_the_first_word_and_sites_are_asked_for_after_the_welcome() -> None:
    found = link()
    found.subscribe(["site_7"], 0, 0.0)
    found.connecting(0.0)
    assert said(found) == []
    found.opened("secret", 0.1)
    assert said(found) == [{"type": "auth", "token": "secret"}]
    found.received(frames.heartbeat(), 0.2)
    assert said(found) == []
    found.received(frames.welcome("site_7"), 0.2)
    assert said(found) == [{"type": "subscribe", "sites": ["site_7"]}]
    assert found.state is LinkState.LIVE


def test_sites_that_are_wanted_one_by_one_are_asked_for_together() -> None:
    found = opened("site_1")
    for number in range(2, 50):
        found.subscribe([f"site_{number}"], 900, 0.0)
    (frame,) = said(found)
    assert frame["interval"] == 1000
    assert len(frame["sites"]) == 48
    assert said(found) == []


def test_the_same_site_again_says_nothing_and_another_interval_asks_anew() -> None:
    found = opened("site_7")
    found.subscribe(["site_7"], 0, 0.0)
    assert said(found) == []
    found.subscribe(["site_7"], 2000, 0.0)
    assert said(found) == [{"type": "subscribe", "sites": ["site_7"], "interval": 2000}]


def test_a_site_that_is_let_go_and_wanted_again_begins_anew() -> None:
    found = opened("site_7")
    found.unsubscribe(["site_7", "site_8"])
    found.subscribe(["site_7"], 0, 0.0)
    assert [frame["type"] for frame in said(found)] == ["unsubscribe", "subscribe"]


def test_what_a_snapshot_is_too_old_to_have_comes_after_it_again_so_that_the_picture_is_right() -> None:
    """At a change of the interval telemetry goes on until the snapshot, whose images were read a moment before."""
    found = opened("site_7")
    found.received(frames.snapshot("site_7", [frames.batch(41)]), 1.0)
    found.received(frames.telemetry("site_7", frames.batch(42), frames.batch(43)), 1.0)
    found.subscribe(["site_7"], 1000, 1.0)
    found.events()
    found.received(frames.snapshot("site_7", [frames.batch(42)]), 1.0)
    found.received(frames.merged_frame("site_7", frames.merged(43, 43)), 1.0)
    assert [type(event).__name__ for event in found.events()] == ["Snapshot", "Merged"]


@pytest.mark.parametrize("name", ["7", "site_07", "site_*", "telemetry:site_7", "", "site_7\n"])
def test_what_is_no_site_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match=r"site: .* write site_<id>"):
        link().subscribe(["site_7", name], 0, 0.0)


@pytest.mark.parametrize("interval", [-1, 60_001])
def test_an_interval_that_is_not_offered_is_refused_with_a_sentence(interval: int) -> None:
    with pytest.raises(ValueError, match=r"interval: .* 1 to 60000 ms"):
        link().subscribe(["site_7"], interval, 0.0)


def test_frames_of_sites_that_nobody_follows_are_ignored() -> None:
    found = opened("site_7")
    found.received(frames.snapshot("site_8", [frames.batch(1)]), 1.0)
    found.received(frames.gap("site_8", 1), 1.0)
    assert found.events() == []


def test_a_lost_link_is_a_gap_since_the_newest_sample_and_the_next_snapshot_says_what_was_missed() -> None:
    found = opened("site_7", "site_8")
    found.received(frames.snapshot("site_7", [frames.batch(41)]), 1.0)
    found.events()
    found.closed(1006, "", 2.0)
    gap, waiting = found.events()
    assert gap == Gap("site_7", SERVER_TIME + 41_000, "disconnected")
    assert isinstance(waiting, StateChange)
    assert waiting.state is LinkState.WAITING
    assert reopen(found, "site_7", now=3.0) == [{"type": "subscribe", "sites": ["site_7", "site_8"]}]
    found.received(frames.snapshot("site_7", [frames.batch(44)]), 4.0)
    snapshot, hole = found.events()
    assert isinstance(snapshot, Snapshot)
    assert (hole.start, hole.end) == (SERVER_TIME + 41_000, SERVER_TIME + 44_000)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (CloseCode.BAD_MESSAGE, EndReason.BAD_MESSAGE),
        (CloseCode.FORBIDDEN, EndReason.FORBIDDEN),
        (CloseCode.GRANT_REVOKED, EndReason.REVOKED),
    ],
)
def test_codes_that_no_retry_would_help_end_it(code: CloseCode, reason: EndReason) -> None:
    found = opened("site_7")
    found.closed(code, "because", 1.0)
    assert found.end is not None
    assert (found.end.reason, found.end.code) == (reason, code)
    assert "because" in str(found.end)
    assert found.state is LinkState.ENDED


def test_a_fresh_token_is_tried_twice_and_a_fixed_one_never_again() -> None:
    found = opened("site_7")
    for _ in range(2):
        found.closed(CloseCode.UNAUTHENTICATED, "", 1.0)
        assert found.end is None
        found.connecting(2.0)
        found.opened("another", 2.0)
    found.closed(CloseCode.UNAUTHENTICATED, "", 3.0)
    assert found.end is not None
    assert found.end.reason is EndReason.UNAUTHENTICATED
    fixed = opened("site_7", fixed_token=True)
    fixed.closed(CloseCode.UNAUTHENTICATED, "", 1.0)
    assert fixed.end is not None


def test_waits_grow_until_a_link_has_held() -> None:
    found = opened()
    waits = []
    for attempt in range(4):
        now = attempt * 1000.0
        found.closed(CloseCode.TRY_AGAIN_LATER, "", now)
        waits.append(found.retry_at - now)
        found.connecting(now)
        found.opened("secret", now)
    assert waits == [5, 10, 20, 40]
    found.received(frames.welcome(), 5000.0)
    found.closed(CloseCode.TRY_AGAIN_LATER, "", 5005.0)  # open for 5 s: it did not hold
    assert found.retry_at == 5005 + 60
    found.connecting(6000.0)
    found.opened("secret", 6000.0)
    found.received(frames.welcome(), 6000.0)
    found.closed(CloseCode.TRY_AGAIN_LATER, "", 6011.0)
    assert found.retry_at == 6011 + 5


def test_a_link_without_a_word_is_dead_after_two_heartbeats_and_five_seconds() -> None:
    found = opened(now=100.0)
    assert found.due_at == 115.0
    found.received(frames.heartbeat(), 110.0)
    assert found.due(124.9) is None
    assert found.due(125.0) is Due.DEAD


def test_a_service_that_does_not_welcome_for_35_seconds_is_left() -> None:
    found = link()
    found.connecting(0.0)
    found.opened("secret", 1.0)
    assert found.due_at == 36.0
    assert found.due(35.9) is None
    assert found.due(36.0) is Due.DEAD


@pytest.mark.parametrize(("expires_in", "asked_at"), [(600.0, 480.0), (90.0, 60.0), (0.9, 1.0), (-5.0, 1.0)])
def test_a_fresh_token_is_asked_for_in_time(expires_in: float, asked_at: float) -> None:
    found = opened(expires_in=expires_in)
    found._last_heard = asked_at  # there were heartbeats
    assert found.due(asked_at - 0.1) is None
    assert found.due(asked_at) is Due.RENEW
    assert found.due(asked_at + 9.9) is None
    found._last_heard = asked_at + 10
    assert found.due(asked_at + 10) is Due.RENEW
    found.renewed("fresh")
    assert said(found) == [{"type": "auth", "token": "fresh"}]
    found.received(frames.grant("site_7", expires=SERVER_TIME + 2_000_000), asked_at + 10)
    assert found.due(asked_at + 20) is None


def test_a_fixed_token_is_not_asked_for_again() -> None:
    found = opened(expires_in=10.0, fixed_token=True)
    found._last_heard = 9.0
    assert found.due(9.0) is None


def test_the_end_of_a_token_is_read_from_the_service_s_clock() -> None:
    """This machine's clock is an hour off; nobody notices."""
    found = Link(fixed_token=False, random=lambda: 0.5, now=50.0, now_ms=SERVER_TIME - 3_600_000)
    reopen(found, expires_in=600.0, now=50.0)
    found._last_heard = 529.0
    assert found.due(529.0) is None
    assert found.due(530.0) is Due.RENEW


def test_a_service_that_does_not_hear_the_sites_is_stale_until_it_does() -> None:
    found = opened("site_7")
    found.received(frames.heartbeat(live=False), 1.0)
    found.received(frames.heartbeat(live=False), 2.0)
    assert [change.state for change in told(found, StateChange)] == [LinkState.STALE]
    found.received(frames.heartbeat(), 3.0)
    assert [change.state for change in told(found, StateChange)] == [LinkState.LIVE]


def test_a_site_that_left_the_grant_is_refused_and_asked_for_when_it_returns() -> None:
    found = opened("site_7", "site_8")
    found.received(frames.snapshot("site_7", [frames.batch(41)]), 1.0)
    found.events()
    found.received(frames.grant("site_8", stale=True), 2.0)
    grant, refused = found.events()
    assert isinstance(grant, Grant)
    assert grant.stale
    assert isinstance(refused, Refused)
    assert refused.site == "site_7"
    found.received(frames.telemetry("site_7", frames.batch(42)), 2.5)
    assert found.events() == []
    found.received(frames.grant("site_7", "site_8"), 3.0)
    assert said(found) == [{"type": "subscribe", "sites": ["site_7"]}]
    found.received(frames.snapshot("site_7", [frames.batch(50)]), 4.0)
    assert [type(event).__name__ for event in found.events()] == ["Grant", "Snapshot", "Hole"]


def test_a_site_that_leaves_the_grant_before_its_snapshot_is_refused_once_and_asked_for_when_it_returns() -> None:
    found = opened("site_7", "site_8")
    found.received(frames.grant("site_8"), 1.0)
    assert [refused.site for refused in told(found, Refused)] == ["site_7"]
    found.received('{"type":"error","code":404,"message":"no","site":"site_7"}', 1.0)
    assert found.events() == []
    found.received(frames.grant("site_7", "site_8"), 2.0)
    assert said(found) == [{"type": "subscribe", "sites": ["site_7"]}]


def test_a_site_that_is_wanted_again_begins_with_its_snapshot_whatever_is_still_on_its_way() -> None:
    found = opened("site_7")
    found.received(frames.snapshot("site_7", [frames.batch(41)]), 1.0)
    found.unsubscribe(["site_7"])
    found.subscribe(["site_7"], 0, 1.0)
    found.events()
    found.received(frames.telemetry("site_7", frames.batch(42)), 1.0)
    assert found.events() == []
    found.received(frames.snapshot("site_7", [frames.batch(42)]), 1.0)
    found.received(frames.telemetry("site_7", frames.batch(43)), 1.0)
    assert [type(event).__name__ for event in found.events()] == ["Snapshot", "Telemetry"]


def test_a_refused_site_is_not_asked_for_at_every_connection() -> None:
    found = opened("site_7", "site_9")
    found.received('{"type":"error","code":404,"message":"no","site":"site_9"}', 1.0)
    assert told(found, Refused) == [Refused("site_9", 404, "no")]
    found.closed(1006, "", 2.0)
    assert reopen(found, "site_7", now=3.0) == [{"type": "subscribe", "sites": ["site_7"]}]
    found.closed(1006, "", 4.0)
    assert reopen(found, "site_7", "site_9", now=5.0) == [{"type": "subscribe", "sites": ["site_7", "site_9"]}]


def test_where_one_site_is_let_go_those_that_were_too_many_are_asked_for_again() -> None:
    found = opened("site_7", "site_8")
    found.received(frames.snapshot("site_7", []), 1.0)
    found.received('{"type":"error","code":429,"message":"at most 1 site"}', 1.0)
    assert told(found, Refused) == [Refused(None, 429, "at most 1 site")]
    found.unsubscribe(["site_7"])
    assert [(frame["type"], frame["sites"]) for frame in said(found)] == [
        ("unsubscribe", ["site_7"]),
        ("subscribe", ["site_8"]),
    ]


def test_a_program_that_is_behind_gets_a_gap_and_a_fresh_snapshot_when_it_has_caught_up() -> None:
    found = opened("site_7", "site_8")
    found.received(frames.snapshot("site_7", [frames.batch(1)]), 1.0)
    found.received(frames.telemetry("site_7", frames.batch(2)), 1.0, room=False)
    found.received(frames.telemetry("site_7", frames.batch(3)), 1.0, room=False)
    _, gap = found.events()
    assert gap == Gap("site_7", SERVER_TIME + 1000, "slow_consumer")
    found.received(frames.telemetry("site_7", frames.batch(4)), 1.0)
    assert (found.events(), said(found)) == ([], [])
    assert found.caught_up(2.0)
    assert not found.caught_up(2.1)
    assert [(frame["type"], frame["sites"]) for frame in said(found)] == [
        ("unsubscribe", ["site_7"]),
        ("subscribe", ["site_7"]),
    ]
    found.received(frames.snapshot("site_7", [frames.batch(5)]), 3.0)
    found.received(frames.telemetry("site_7", frames.batch(6)), 3.0)
    assert [type(event).__name__ for event in found.events()] == ["Snapshot", "Hole", "Telemetry"]


def test_no_unsent_word_of_an_old_connection_is_said_on_the_next() -> None:
    found = opened("site_7")
    found.renewed("stale token")
    found.closed(1006, "", 1.0)
    assert said(found) == [{"type": "auth", "token": "stale token"}]
    found.renewed("too late")
    found.connecting(2.0)
    found.opened("secret", 2.0)
    assert said(found) == [{"type": "auth", "token": "secret"}]


def test_frames_that_come_after_the_end_change_nothing() -> None:
    found = opened("site_7")
    found.closed(CloseCode.FORBIDDEN, "", 1.0)
    found.events()
    found.received(frames.telemetry("site_7", frames.batch(1)), 1.0)
    assert told(found, Telemetry) == []
    assert found.phase is Phase.ENDED
