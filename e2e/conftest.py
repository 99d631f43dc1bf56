"""One whole stack for all journeys: four simulated sites, polled each second, and a Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ems_prove.browser import chromium
from ems_prove.simulator import Simulator
from ems_stack.options import StackOptions
from ems_stack.stack import Stack
from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack(StackOptions(poll_interval=1.0, durable=False)) as stack:
        yield stack


@pytest.fixture(scope="session")
def simulator(stack: Stack) -> Iterator[Simulator]:
    with Simulator(stack) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a person nobody knows; an error on its console fails the test."""
    context = browser.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"the page raised {errors}"
