"""Short forms of the experiments in `prove/`: the same functions, seconds instead of minutes, generous deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ems_prove.browser import log_in, watch_point
from ems_prove.experiments import (
    access_outbox,
    audit_verify,
    command_round_trip,
    edge_keys,
    edge_memory,
    live_latency,
    nothing_lost,
    offline_day,
    poison,
    revocation,
    stranger,
)
from ems_prove.lab import Lab
from ems_prove.memory import Memory
from ems_prove.simulator import Simulator
from ems_stack.stack import Stack
from playwright.sync_api import Page

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


class Shared(Lab):
    """The lab on the stack of these tests."""

    def __init__(self, stack: Stack, simulator: Simulator) -> None:
        super().__init__()
        self.stack = stack
        self.simulator = simulator


def apart[T](work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: in this one Playwright's event loop may be running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture
def lab(stack: Stack, simulator: Simulator) -> Lab:
    return Shared(stack, simulator)


@pytest.mark.browser
def test_a_change_is_on_the_page_soon_after_the_device_answered(page: Page, stack: Stack, simulator: Simulator) -> None:
    account = stack.account("platform_admin")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/sites/{stack.site_ids['factory']}")
    watch_point(page, live_latency.POINT)
    changes = live_latency.measure_changes(page, simulator, "factory", 5)
    assert sorted(change.latency for change in changes)[2] < 3 * live_latency.AIM_P99_MS
    assert all(change.latency > 0 for change in changes)


def test_a_site_of_another_organization_answers_as_one_that_does_not_exist(lab: Lab) -> None:
    outcome = stranger.measure(lab)
    assert outcome.met, outcome.figure


def test_a_poison_batch_is_set_aside_and_the_queue_goes_on(stack: Stack) -> None:
    sent, aside, good = poison.set_aside(stack)
    assert (aside, good) == (sent, True)


def test_permission_removed_in_the_admin_ends_its_sockets_and_disturbs_nobody(stack: Stack) -> None:
    result = apart(revocation.revoke(stack, trials=3, sockets=5, others=5))
    assert max(result.last_frames) < 3
    assert sum(trial.wrongly_closed for trial in result.trials) == 0
    assert result.interrupted == 0


def test_an_access_token_streams_until_it_is_revoked_and_its_owner_goes_on(stack: Stack) -> None:
    trial = apart(revocation.revoke_token(stack))
    assert trial.last_frame < 3
    assert trial.wrongly_closed == 0


def test_access_that_changes_while_redis_and_the_worker_are_down_is_told_afterwards(stack: Stack) -> None:
    survived = apart(access_outbox.survive(stack))
    assert survived.told == survived.changed
    assert survived.ended


def test_nothing_is_lost_when_redis_the_historian_and_the_edges_are_killed(stack: Stack, simulator: Simulator) -> None:
    for result in nothing_lost.survive(stack, simulator, outage=4, between=4):
        assert result.met, f"{result.site}: {result.verdict}; gaps {result.gaps}"


def test_half_an_hour_offline_is_sent_afterwards_and_held_against_history_to_the_last_sample(stack: Stack) -> None:
    spent = apart(offline_day.spend(stack, 360, pairs=0))
    assert spent.nothing_lost, spent
    assert spent.comparison.made > 360_000
    assert spent.rate > offline_day.LEAST_RATE / 3


def test_an_edge_of_the_demo_stays_small(stack: Stack) -> None:
    """The aim is told by the experiment, for an idle one with 500 points."""
    edges = [one.pid for one in stack.status() if one.name.startswith("edge-") and one.pid]
    assert edges
    assert all(Memory.of(pid).own < edge_memory.AIM_MB for pid in edges)


def test_an_audit_event_altered_in_the_database_is_named(stack: Stack) -> None:
    result = audit_verify.verify(stack, 2_000)
    assert (result.clean.findings, result.named) == (0, True), result.clean.text


@pytest.mark.browser
def test_a_value_that_a_person_sets_is_in_the_device_and_what_must_not_be_is_refused(
    page: Page, stack: Stack, simulator: Simulator
) -> None:
    command_round_trip.open_control(page, stack)
    trips = command_round_trip.measure_trips(page, simulator, 5)
    assert all(trip.arrived for trip in trips), trips
    assert min(trip.took for trip in trips) < 3 * command_round_trip.AIM_P99_MS
    refusals = command_round_trip.try_what_is_refused(stack, simulator)
    assert all(one.right for one in refusals), refusals


def test_a_stolen_edge_key_opens_nothing_else_and_nothing_at_all_once_it_is_revoked(stack: Stack) -> None:
    tried, through, dead_after = edge_keys.try_keys(stack, rounds=2)
    assert tried > 500
    assert through == []
    assert max(dead_after) < 3 * edge_keys.AIM_SECONDS
