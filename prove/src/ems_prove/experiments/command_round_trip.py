"""A person sets a value; how long until the device says the same, and the page shows that?

From the click in a real Chromium, through the API, the edge's stream, the register, its read-back, the edge's events
and the browser's socket, to the moment the page says that the device has it. Whether it has is asked of the simulator.
Then everything that must not be done is asked for: at the API, and, as if that had been got around, on the edge's own
stream.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import Command
from ems_stack.services import edge_service
from ems_stack.stack import Stack
from playwright.sync_api import Page

from ems_prove.browser import chromium, log_in
from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.simulator import Simulator
from ems_prove.waiting import eventually

SITE, DEVICE, NAME = "factory", "battery", "power_setpoint"
POINT, READ_ONLY = f"{DEVICE}.{NAME}", f"{DEVICE}.state_of_charge"
AIM_P99_MS = 1000.0
PACE = 0.6
"""s between two commands: one person may give 120 a minute."""

_WATCH = """
() => {
  const now = () => performance.timeOrigin + performance.now();
  window.__trip = {};
  const click = event => {
    if (event.target.closest('button[value="set"]')) window.__trip = {clicked: now()};
  };
  document.addEventListener('click', click, true);
  const look = () => {
    const shown = document.querySelector('[role=dialog] [data-testid=command]');
    const state = shown && shown.dataset.state;
    if (state && !window.__trip.ended && !['requested', 'sent', 'written'].includes(state))
      Object.assign(window.__trip, {ended: now(), state});
  };
  const every = {subtree: true, childList: true, attributes: true, attributeFilter: ['data-state']};
  new MutationObserver(look).observe(document.body, every);
}
"""


@dataclass(frozen=True)
class Trip:
    """Times in ms since the epoch; `register` is what the device held then."""

    value: float
    clicked: float
    ended: float
    state: str
    register: float | None

    @property
    def took(self) -> float:
        return self.ended - self.clicked

    @property
    def arrived(self) -> bool:
        return self.state == "verified" and self.register == self.value


@dataclass(frozen=True)
class Refusal:
    """Something that must not be done: the reason that was expected, and what was answered."""

    what: str
    reason: str
    answered: str

    @property
    def right(self) -> bool:
        return self.reason == self.answered


def open_control(page: Page, stack: Stack) -> None:
    """The control page of the site, with the form of the setpoint open."""
    account = stack.account("operator")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/sites/{stack.site_ids[SITE]}/control")
    page.locator(f'[data-set="{POINT}"]').click(timeout=20_000)
    page.evaluate(_WATCH)


def measure_trips(page: Page, simulator: Simulator, count: int, seed: int = 1) -> list[Trip]:
    """Set another value `count` times, in the form that is open already; then give the point back."""
    values = random.Random(seed).sample(range(-20_000, 20_000, 50), count)  # noqa: S311 -- a seeded order of values
    trips = []
    for value in values:
        began = time.monotonic()
        page.get_by_label("Value (W)").fill(str(value))
        page.get_by_role("button", name="Set the value").click()
        seen: Any = page.wait_for_function("() => window.__trip.ended && window.__trip", timeout=20_000).json_value()
        register = simulator.value(SITE, DEVICE, NAME)
        trips.append(Trip(float(value), seen["clicked"], seen["ended"], seen["state"], register))
        page.get_by_role("button", name="Set another value").click()
        time.sleep(max(PACE - (time.monotonic() - began), 0))  # the pace of a person, not a wait
    page.get_by_role("button", name="Give it back").click()
    eventually("the default", lambda: simulator.value(SITE, DEVICE, NAME) == 0.0, 10)
    return trips


def try_what_is_refused(stack: Stack, simulator: Simulator) -> list[Refusal]:
    """None of it may move the register, which is at its default."""
    with stack.client(stack.account("operator").email) as client:
        found = client.get("/api/points", params={"site": stack.site_ids[SITE], "page_size": 500}).raise_for_status()
        points = {point["key"]: point["id"] for point in found.json()["results"]}
        refusals = [*_by_the_api(client, stack, points), _too_late(client, stack, points)]
    refusals += _by_the_edge(stack)
    if (register := simulator.value(SITE, DEVICE, NAME)) != 0.0:
        refusals.append(Refusal("anything of this", "0", f"the register holds {register}"))
    return refusals


def _by_the_api(client: httpx.Client, stack: Stack, points: dict[str, int]) -> Iterator[Refusal]:
    def give(point: str, value: float | None, **more: Any) -> httpx.Response:
        body = {"site": stack.site_ids[SITE], "point": points[point], "value": value, **more}
        return client.post("/api/commands", json=body)

    def said(answer: httpx.Response) -> str:
        problem = answer.json()
        fields = [f"{one['field']}: {one['message']}" for one in problem.get("errors", [])]
        return f"{answer.status_code} {' '.join(fields) or problem['detail']}"

    beyond, read_only = give(POINT, 900_000), give(READ_ONLY, 50)
    yield Refusal("a value beyond the limits, at the API", "400 value: Above the maximum, 800000 W.", said(beyond))
    yield Refusal("a point that is read-only, at the API", f"400 point: {READ_ONLY} is read-only.", said(read_only))
    once = {"id": str(uuid.uuid4()), "lease": None}
    first = give(POINT, None, **once).raise_for_status()
    again = give(POINT, None, **once)
    yield Refusal("a command that comes again, at the API", "200", str(again.status_code))
    yield Refusal("is the same one", first.json()["id"], again.json()["id"])
    replayed = give(POINT, 1_000, **once)
    reason = "409 A command with this id was given already, and it says something else."
    yield Refusal("its id with another content, at the API", reason, said(replayed))


def _too_late(client: httpx.Client, stack: Stack, points: dict[str, int]) -> Refusal:
    """The edge stands still for longer than the command has time."""
    edge = edge_service(SITE)
    stack.pause(edge)
    try:
        body = {"site": stack.site_ids[SITE], "point": points[POINT], "value": 5_000, "expires_in": 1}
        given = client.post("/api/commands", json=body).raise_for_status().json()
        time.sleep(1.5)  # how long it stands still
    finally:
        stack.resume(edge)

    def ended() -> str | None:
        now = client.get(f"/api/commands/{given['id']}").raise_for_status().json()
        return f"{now['state']} {now['reason']}" if now["state"] not in ("requested", "sent", "written") else None

    return Refusal("a command that was delivered too late", "expired expired", eventually("an end", ended, 20))


def _by_the_edge(stack: Stack) -> list[Refusal]:
    """Whoever can write to the edge's stream meets the same limits, and the edge says why."""
    replayed = str(uuid.uuid4())
    tries: list[tuple[str, str, float, int, str]] = [
        ("a value beyond the limits", POINT, 900_000.0, 30_000, "rejected above_maximum"),
        ("a value below the limits", POINT, -900_000.0, 30_000, "rejected below_minimum"),
        ("a point that is read-only", READ_ONLY, 50.0, 30_000, "rejected read_only"),
        ("a point that is not there", f"{DEVICE}.no_such", 1.0, 30_000, "rejected unknown_point"),
        ("a command that has expired", POINT, 1_000.0, -1_000, "expired expired"),
    ]
    with _edge_stream(stack) as ask:
        refusals = [
            Refusal(f"{what}, at the edge", reason, ask(str(uuid.uuid4()), point, value, expires))
            for what, point, value, expires, reason in tries
        ]
        ask(replayed, POINT, 950_000.0, 30_000)
        reason = "rejected replayed"
        refusals.append(
            Refusal("an id with another content, at the edge", reason, ask(replayed, POINT, 1_000.0, 30_000))
        )
    return refusals


@contextmanager
def _edge_stream(stack: Stack) -> Iterator[Callable[[str, str, float, int], str]]:
    """Adds a command to the edge's stream and gives the edge's answer: state and reason."""
    site = stack.site_ids[SITE]
    with stack.client() as client:
        edges = client.get("/api/edges", params={"site": site}).raise_for_status().json()["results"]
    commands, events = keys.commands_stream(site, edges[0]["id"]), keys.edge_events_stream(site, edges[0]["id"])
    with stack.redis() as redis:

        def ask(command_id: str, point: str, value: float, expires: int) -> str:
            now = round(time.time() * 1000)
            command = Command(PROTOCOL_VERSION, command_id, point, value, now, now + expires, "somebody")
            information: Any = redis.xinfo_stream(events)
            after = information["last-generated-id"]
            redis.xadd(commands, {keys.COMMAND_FIELD: msgspec.json.encode(command)})
            while True:  # the backend takes the answer out of the stream, but we wait at its door as well
                answer: Any = redis.xread({events: after}, block=5_000)
                if not answer:
                    return "no answer"
                for after, fields in answer[0][1]:  # noqa: B007 -- where to go on
                    event = msgspec.json.decode(fields[keys.EVENT_FIELD.encode()])
                    if event.get("id") == command_id:
                        return f"{event['state']} {event.get('reason')}"

        yield ask


def measure(lab: Lab) -> Outcome:
    """200 commands of one person, and everything that is refused."""
    simulator = lab.simulator
    with chromium() as browser:
        page = browser.new_page()
        open_control(page, lab.stack)
        trips = measure_trips(page, simulator, 200)
    refusals = try_what_is_refused(lab.stack, simulator)
    took = [trip.took for trip in trips]
    median, p99 = percentile(took, 0.5), percentile(took, 0.99)
    arrived, right = sum(trip.arrived for trip in trips), sum(one.right for one in refusals)
    wrong = "".join(f"; {one.what}: {one.answered}" for one in refusals if not one.right)
    return Outcome(
        f"median {median:.0f} ms, p99 {p99:.0f} ms; {arrived} of {len(trips)} in the register; "
        f"{right} of {len(refusals)} refused with their reason{wrong}",
        f"p99 under {AIM_P99_MS:.0f} ms, all, all",
        p99 < AIM_P99_MS and arrived == len(trips) and right == len(refusals),
    )
