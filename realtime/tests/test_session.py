"""The state machine of a connection."""

from __future__ import annotations

import msgspec
import pytest
from ems_contract.access import Grant
from ems_realtime.outbox import Outbox
from ems_realtime.session import TRANSITIONS, IllegalTransitionError, Session, State, viewable
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.batches import grant
from realtime_support.wires import SlowWire


def session() -> Session:
    return Session("192.0.2.1", Outbox(SlowWire(), 1_000, 0.0))


@given(st.lists(st.sampled_from(State), max_size=8))
def test_only_legal_transitions_happen(steps: list[State]) -> None:
    moved = session()
    for step in steps:
        before = moved.state
        if step in TRANSITIONS[before]:
            moved.move(step)
            assert moved.state is step
        else:
            with pytest.raises(IllegalTransitionError, match=f"from {before.value} to {step.value}"):
                moved.move(step)
            assert moved.state is before


def test_nothing_follows_closed() -> None:
    assert not TRANSITIONS[State.CLOSED]
    assert all(State.CLOSED in TRANSITIONS[state] for state in State if state is not State.CLOSED)


def test_a_narrower_grant_names_the_watched_sites_that_are_gone() -> None:
    narrowed = session()
    narrowed.claim(1)
    narrowed.admit(viewable(_grant([7, 8, 9])), 1)
    narrowed.sites = {7, 8}
    assert narrowed.take(viewable(_grant([8, 9])), 2) == {7}
    assert narrowed.granted.keys() == {8, 9}


def test_a_site_without_view_is_not_viewable_and_a_malformed_one_is_refused() -> None:
    assert viewable(msgspec.convert(grant(1, [7], actions=("export_reports",)), Grant)) == {}
    malformed = grant(1, [7])
    malformed["sites"][0]["site"] = "site_*"
    with pytest.raises(ValueError, match="site_<id>"):
        viewable(msgspec.convert(malformed, Grant))


def _grant(sites: list[int]) -> Grant:
    return msgspec.convert(grant(1, sites), Grant)
