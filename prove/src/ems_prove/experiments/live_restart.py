"""The realtime service is killed with -9, then told to stop (SIGTERM), under 200 sockets and a real browser.

The sockets come back as browsers do; the page is one. What it missed it must ask history for.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ems_contract.frames import CloseCode
from ems_stack.stack import Stack
from playwright.sync_api import Page

from ems_prove.audience import PATIENCE, quiet_site, tokens
from ems_prove.browser import chromium, log_in, watch_point
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.publisher import Publisher
from ems_prove.regulars import Regular, regulars
from ems_prove.sockets import Door, open_socket
from ems_prove.waiting import until

SOCKETS = 200
EVERY = 0.1
POINT = "grid_meter.active_power"
AIM_BACK, AIM_EXIT, AIM_STALE = 30.0, 25.0, 10.0
LEAST_SPREAD = 2.0
"""s between the first goodbye and the last; all at once would bring all back at once."""
PROBE_PAUSE, HEARS_SECONDS = 0.1, 0.5
"""Between two attempts to be let in; until a process has heard its signal."""
FILL_SECONDS, POLL_MS = 20.0, 3_000
"""A page waits some seconds before it asks history. A sample is older than its showing by a poll, and a little."""

_NOTE_CONNECTION = """
() => {
  const pill = document.querySelector("[data-connection]");
  window.__said = [];
  const note = () => window.__said.push([pill.dataset.connection, performance.timeOrigin + performance.now()]);
  new MutationObserver(note).observe(pill, {attributes: true, attributeFilter: ["data-connection"]});
}
"""


@dataclass(frozen=True)
class Seen:
    """By the page, s from the signal: when it no longer said "live", when it did again, when a new value showed.
    `filled`: it asked history for the span between."""

    told: float
    live: float
    value: float
    filled: bool

    @property
    def met(self) -> bool:
        return self.told < AIM_STALE and max(self.live, self.value) < AIM_BACK and self.filled


@dataclass(frozen=True)
class Crowd:
    """`began`: the signal, s since the epoch. `back`: s from it until each socket streamed again. `polite`: how many of
    the old connections ended with 1012; `spread`: s between the first end and the last. `exit`: s until the process
    had ended. `let_in`: connections accepted between the signal and the end. `lost`: batches that a connection did not
    hear while it stood."""

    began: float
    back: list[float]
    polite: int
    spread: float
    exit: float
    let_in: int
    lost: int


@dataclass(frozen=True)
class Restart:
    crowd: Crowd
    page: Seen

    @property
    def met(self) -> bool:
        return max(self.crowd.back) < AIM_BACK and self.crowd.lost == 0 and self.page.met

    @property
    def text(self) -> str:
        return (
            f"sockets back after {max(self.crowd.back):.1f} s at most, {self.crowd.lost} batches lost while connected; "
            f"the page said so after {self.page.told:.1f} s, was live after {self.page.live:.1f} s, its gap "
            + ("filled from history" if self.page.filled else "NOT filled")
        )


def measure(lab: Lab) -> Outcome:
    killed, stopped = restarts(lab.stack, sockets=SOCKETS)
    end = stopped.crowd
    orderly = end.polite == SOCKETS and end.spread > LEAST_SPREAD and end.let_in == 0 and end.exit < AIM_EXIT
    return Outcome(
        f"kill -9: {killed.text}; SIGTERM: {end.polite} of {SOCKETS} closed with 1012 over {end.spread:.1f} s, "
        f"{end.let_in} let in meanwhile, ended by itself after {end.exit:.1f} s, {stopped.text}",
        f"back within {AIM_BACK:.0f} s, the page says so within {AIM_STALE:.0f} s and fills its gap, every goodbye "
        f"1012, the end within {AIM_EXIT:.0f} s",
        killed.met and stopped.met and orderly,
    )


def restarts(stack: Stack, *, sockets: int) -> tuple[Restart, Restart]:
    """-> killed, stopped. The page is one of a demo site; the sockets watch a site of their own."""
    account = stack.account("platform_admin")
    with chromium() as browser, quiet_site(stack, "Live restart") as site, ThreadPoolExecutor(1) as apart:
        page = browser.new_page()
        log_in(page, stack.url("web"), account.email, account.password)
        page.goto(f"{stack.url('web')}/sites/{stack.sites[0].id}")
        watch_point(page, POINT)
        page.evaluate(_NOTE_CONNECTION)
        answered: list[str] = []
        page.on("response", lambda answer: answered.append(answer.url) if answer.ok else None)

        def once(number: signal.Signals) -> Restart:
            page.wait_for_selector('[data-connection="live"]', timeout=PATIENCE * 1000)
            page.evaluate("() => { window.__said.length = 0; window.__seen.length = 0; }")
            # Apart: Playwright has an event loop of its own in this thread. The page goes on by itself meanwhile.
            crowd = apart.submit(asyncio.run, _restart(stack, site.id, sockets, number)).result()
            return Restart(crowd, _look(page, answered, crowd.began))

        return once(signal.SIGKILL), once(signal.SIGTERM)


# The sockets ------------------------------------------------------------------------------------------------------


async def _restart(stack: Stack, site: int, sockets: int, number: signal.Signals) -> Crowd:
    theirs = await asyncio.to_thread(tokens, stack, 4)
    door = Door.of(stack)
    async with (
        Publisher(stack, site, EVERY) as publisher,
        regulars(door, [theirs[one % len(theirs)] for one in range(sockets)], site, PATIENCE) as everyone,
    ):
        old = [one.life for one in everyone]
        began, wall = time.monotonic(), time.time()
        gone = asyncio.Event()
        knocking = asyncio.create_task(_knock(door, gone))
        await asyncio.to_thread(stack.kill, "realtime", number)
        exited = time.monotonic() - began
        gone.set()
        let_in = await knocking
        await asyncio.to_thread(stack.start, "realtime", wait=False)
        await until("everyone back", lambda: all(one.streams for one in everyone), 3 * AIM_BACK)
        back = [(one.life.streaming or began) - began for one in everyone]
        last = await publisher.pause()
        await until("the last batch", lambda: all(one.life.ledger.last >= last for one in everyone), PATIENCE)
        ends = [one.over.result() for one in old]
        return Crowd(
            began=wall,
            back=back,
            polite=sum(one.close_code == CloseCode.SERVICE_RESTART for one in old),
            spread=max(ends) - min(ends),
            exit=exited,
            let_in=let_in,
            lost=sum(_lost(one, last) for one in everyone),
        )


def _lost(one: Regular, last: int) -> int:
    """Of an earlier connection what it should have heard until it ended, of the present one until `last`."""
    until_then = [life.ledger.last for life in one.lives[:-1]]
    return sum(len(life.ledger.missing(seq)) for life, seq in zip(one.lives, [*until_then, last], strict=True))


async def _knock(door: Door, gone: asyncio.Event) -> int:
    """How many connections are accepted until `gone`, by a service that has been told to end."""
    accepted = 0
    await asyncio.sleep(HEARS_SECONDS)
    while not gone.is_set():
        with contextlib.suppress(OSError):
            (await open_socket(door, "nobody")).abort()
            accepted += 1
        await asyncio.sleep(PROBE_PAUSE)
    return accepted


# The page ---------------------------------------------------------------------------------------------------------


def _look(page: Page, answered: Sequence[str], began: float) -> Seen:
    """What the page has noted since `began`, s since the epoch. `answered`: what it has got from the API, which grows.
    Raises a TimeoutError of Playwright if it does not become live."""
    page.wait_for_selector('[data-connection="live"]', timeout=AIM_BACK * 3_000)
    said: list[tuple[str, float]] = page.evaluate("() => window.__said")
    told = next(at for what, at in said if what != "live")
    live = next(at for what, at in said if what == "live" and at > told)
    page.wait_for_function("at => window.__seen.some(([, shown]) => shown > at)", arg=live - 1_000, timeout=20_000)
    value = page.evaluate("at => window.__seen.find(([, shown]) => shown > at)[1]", live - 1_000)
    deadline = time.monotonic() + FILL_SECONDS
    while not (filled := any(_covers(url, told, live) for url in answered)) and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    return Seen(told / 1000 - began, live / 1000 - began, value / 1000 - began, filled)


def _covers(url: str, told: float, live: float) -> bool:
    """Whether this asks history for all that was missed: from what was shown last to what came first. Times in ms."""
    query = parse_qs(urlsplit(url).query)
    if "/telemetry/historical" not in url or "raw" not in query.get("resolution", ()):
        return False
    return float(query["from"][0]) <= told and float(query["to"][0]) >= live - POLL_MS
