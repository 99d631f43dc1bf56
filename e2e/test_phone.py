"""What is different where battery and data are dear: a phone gets merged frames, one a second and site."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable

import pytest
from ems_prove.browser import log_in, watch_point
from ems_stack.stack import Stack
from playwright.sync_api import Browser, Page, ViewportSize, WebSocket, expect

POINT = "grid_meter.active_power"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(120)]


def count_frames(page: Page, site: str) -> Counter[str]:
    """How many frames of each type this page hears of a site, counted from now on."""
    heard: Counter[str] = Counter()

    def note(text: str | bytes) -> None:
        frame = json.loads(text)
        if frame.get("site") == site:
            heard[frame["type"]] += 1

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/ws"):
            socket.on("framereceived", note)

    page.on("websocket", listen)
    return heard


def until(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Lets the page go on until the condition holds; its events come only while Playwright waits."""
    for _ in range(300):
        if condition():
            return
        page.wait_for_timeout(100)
    pytest.fail(f"not within 30 s: {what}")


def test_a_phone_sees_values_move_and_hears_merged_frames_only_until_it_is_a_desktop(
    browser: Browser, stack: Stack
) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    heard = count_frames(page, f"site_{stack.site_ids['factory']}")
    account = stack.account("platform_admin")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/sites/{stack.site_ids['factory']}")
    watch_point(page, POINT)
    page.wait_for_function("() => new Set(window.__seen.map(([value]) => value)).size >= 3", timeout=30_000)
    assert heard["merged"] >= 2
    assert heard["telemetry"] == 0
    assert heard["gap"] == 0
    pill = page.get_by_test_id("connection")
    expect(pill).to_have_attribute("data-interval", "1000")
    expect(pill).to_have_attribute("data-connection", "live")
    pill.click()
    expect(page.get_by_text(re.compile("once a second, which spares"))).to_be_visible()

    page.set_viewport_size(DESKTOP)
    expect(pill).to_have_attribute("data-interval", "0")
    until(page, lambda: heard["telemetry"] >= 2, "every batch, on a wide screen")
    assert heard["gap"] == 0
    expect(pill).to_have_attribute("data-connection", "live")
    context.close()
