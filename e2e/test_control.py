"""Setting a value of a device from the page: asked for, written, read back and seen, or refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ems_prove.browser import log_in
from ems_prove.simulator import Simulator
from ems_prove.waiting import eventually
from ems_stack.stack import Stack
from playwright.sync_api import Browser, Page, expect

SETPOINT = "battery.power_setpoint"
pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]


def register(simulator: Simulator) -> float | None:
    """What the device itself holds."""
    return simulator.value("factory", "battery", "power_setpoint")


@pytest.fixture
def operator(stack: Stack, browser: Browser) -> Iterator[Page]:
    """The page of somebody who may control the factory, on its control page."""
    context = browser.new_context()
    page = context.new_page()
    account = stack.account("operator")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/sites/{stack.site_ids['factory']}/control")
    yield page
    context.close()


def open_form(page: Page) -> None:
    row = page.get_by_test_id("setpoint").filter(has=page.locator(f'[data-set="{SETPOINT}"]'))
    row.locator(f'[data-set="{SETPOINT}"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()


def outcome(page: Page, state: str) -> None:
    expect(page.get_by_role("dialog").get_by_test_id("command")).to_have_attribute("data-state", state, timeout=20_000)


def test_a_setpoint_is_written_read_back_and_given_back(operator: Page, simulator: Simulator) -> None:
    page = operator
    open_form(page)
    page.get_by_label("Value (W)").fill("-12500")
    expect(page.get_by_role("dialog")).to_contain_text("That is −12.5 kW.")
    page.get_by_label("Hold it").select_option("900")
    page.get_by_role("button", name="Set the value").click()
    outcome(page, "verified")
    assert register(simulator) == -12_500.0
    page.get_by_role("button", name="Close", exact=True).last.click()

    row = page.get_by_test_id("setpoint").filter(has=page.locator(f'[data-set="{SETPOINT}"]'))
    expect(row).to_contain_text("held by")
    expect(row.locator(f'[data-live="{SETPOINT}"]')).to_have_text("−12.5 kW", timeout=20_000)
    expect(page.get_by_test_id("command-row").first).to_contain_text("In force")

    open_form(page)
    page.get_by_role("button", name="Give it back").click()
    outcome(page, "verified")
    eventually("the default", lambda: register(simulator) == 0.0, 10)
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(row).to_contain_text("held by nobody")


def test_a_value_beyond_the_limits_is_refused_before_it_is_sent_and_by_the_device(operator: Page) -> None:
    page = operator
    open_form(page)
    page.get_by_label("Value (W)").fill("900000")
    page.get_by_role("button", name="Set the value").click()
    expect(page.get_by_role("dialog")).to_contain_text("Out of its limits: −800 kW to 800 kW.")
    # Within what the profile allows, but more than this battery has.
    page.get_by_label("Value (W)").fill("700000")
    page.get_by_role("button", name="Set the value").click()
    outcome(page, "failed")
    expect(page.get_by_role("dialog").get_by_test_id("command")).to_have_attribute("data-reason", "device_refused")


def test_who_may_only_look_sees_values_and_commands_but_no_way_to_set_one(page: Page, stack: Stack) -> None:
    account = stack.account("viewer")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/sites/{stack.site_ids['factory']}/control")
    expect(page.get_by_role("heading", name="Setpoints")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-set]")).to_have_count(0)
