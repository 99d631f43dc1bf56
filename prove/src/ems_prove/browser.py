"""A Chromium that looks at the product the way a person does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ems_stack import browser as stack_browser
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

_WATCH = """
([point]) => {
  const tile = document.querySelector(`[data-point="${point}"]`);
  window.__seen = [];
  const note = () => window.__seen.push([Number(tile.dataset.value), performance.timeOrigin + performance.now()]);
  new MutationObserver(note).observe(tile, {attributes: true, attributeFilter: ["data-value"]});
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium with an empty profile."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(stack_browser.find()), args=flags)
        try:
            yield browser
        finally:
            browser.close()


def log_in(page: Page, url: str, email: str, password: str) -> None:
    """From the login page to the overview."""
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/", timeout=20_000)


def watch_point(page: Page, point: str) -> None:
    """From now on the page keeps (value, ms since the epoch) of every change that the DOM shows for a point."""
    page.wait_for_selector(f'[data-point="{point}"][data-value]', timeout=20_000)
    page.evaluate(_WATCH, [point])


def shown_at(page: Page, value: float, timeout_ms: float) -> float:
    """When the watched point first showed a value, ms since the epoch. Raises a TimeoutError of Playwright."""
    seen: Any = page.wait_for_function(
        "value => window.__seen.find(([shown]) => Math.abs(shown - value) < 1e-6)", arg=value, timeout=timeout_ms
    ).json_value()
    return float(seen[1])
