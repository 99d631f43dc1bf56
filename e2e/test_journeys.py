"""What people do, in a real browser, over the whole stack."""

from __future__ import annotations

import re
import time

import pytest
from ems_prove import history
from ems_prove.browser import log_in, shown_at, watch_point
from ems_prove.simulator import Simulator
from ems_prove.waiting import eventually
from ems_stack.stack import Stack
from playwright.sync_api import Browser, Page, expect

POINT = "grid_meter.active_power"
pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]


def site_page(stack: Stack, site: str) -> str:
    return f"{stack.url('web')}/sites/{stack.site_ids[site]}"


def enter(page: Page, stack: Stack, who: str) -> None:
    account = stack.account(who)
    log_in(page, stack.url("web"), account.email, account.password)


def test_a_register_changed_in_the_simulator_is_seen_on_the_page_and_in_history(
    page: Page, stack: Stack, simulator: Simulator
) -> None:
    enter(page, stack, "platform_admin")
    page.goto(site_page(stack, "factory"))
    watch_point(page, POINT)
    begun = int(time.time() * 1000)
    simulator.pin("factory", "grid_meter", "active_power", 424_242.0)
    try:
        shown = shown_at(page, 424_242.0, 20_000)
        answered = eventually(
            "the first answer", lambda: simulator.first_answer("factory", "grid_meter", "active_power"), 5
        )
        assert shown - answered < 3_000
        with stack.client("platform_admin") as client:
            site = stack.site_ids["factory"]

            def stored() -> bool:
                samples = history.samples(client, site, [POINT], begun, int(time.time() * 1000) + 1000)[POINT]
                return any(value == 424_242.0 for _, value in samples)

            eventually("the value in history", stored, 10)
    finally:
        simulator.unpin("factory", "grid_meter", "active_power")


def test_a_changed_value_of_every_site_is_seen_on_the_overview(page: Page, stack: Stack, simulator: Simulator) -> None:
    enter(page, stack, "platform_admin")
    for site in stack.sites:
        row = page.locator(f'[data-testid="site-row"][data-site="site_{site.id}"]')
        expect(row).to_contain_text(site.name)
        expect(row).to_have_attribute("data-state", "live", timeout=20_000)
        simulator.pin(site.key, "grid_meter", "active_power", 789_000.0)
        try:
            expect(row).to_contain_text("789", timeout=20_000)
        finally:
            simulator.unpin(site.key, "grid_meter", "active_power")


def test_the_page_says_when_data_stops_and_recovers_by_itself(page: Page, stack: Stack) -> None:
    enter(page, stack, "platform_admin")
    page.goto(site_page(stack, "office"))
    pill = page.locator("[data-connection]").first
    expect(pill).to_have_attribute("data-connection", "live", timeout=20_000)
    stack.kill("realtime")
    expect(pill).not_to_have_attribute("data-connection", "live", timeout=15_000)
    stack.start("realtime")
    expect(pill).to_have_attribute("data-connection", "live", timeout=45_000)


def test_a_wrong_password_is_refused_with_a_sentence(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url('web')}/login")
    page.get_by_label("E-mail").fill(stack.account("viewer").email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text=re.compile("password", re.IGNORECASE))).to_be_visible()


def test_a_stranger_sees_the_same_page_for_a_foreign_site_as_for_none(page: Page, stack: Stack) -> None:
    enter(page, stack, "viewer")
    with stack.client("viewer") as client:
        visible = {site["id"] for site in client.get("/api/sites").json()["results"]}
    foreign = next(number for number in stack.site_ids.values() if number not in visible)
    said = []
    for number in (foreign, 999_999_999):
        page.goto(f"{stack.url('web')}/sites/{number}")
        view = page.get_by_test_id("not-found")
        expect(view).to_be_visible()
        expect(page.locator("[data-point]")).to_have_count(0)
        said.append(view.inner_text())
    assert said[0] == said[1]


def test_a_reload_keeps_the_session_and_a_logout_ends_it(page: Page, stack: Stack) -> None:
    enter(page, stack, "viewer")
    page.reload()
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_url(f"{stack.url('web')}/")
    page.get_by_test_id("profile").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url(re.compile("/login"))
    page.goto(f"{stack.url('web')}/")
    page.wait_for_url(re.compile("/login"))


def test_nothing_is_cut_off_on_a_phone(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 780})
    page = context.new_page()
    enter(page, stack, "platform_admin")
    for address in (f"{stack.url('web')}/", site_page(stack, "factory"), site_page(stack, "factory") + "/history"):
        page.goto(address)
        expect(page.get_by_role("main")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
    context.close()


def test_the_history_chart_draws_what_was_measured(page: Page, stack: Stack) -> None:
    enter(page, stack, "platform_admin")
    page.goto(site_page(stack, "factory") + "/history")
    page.get_by_role("radio", name="the last hour").click()
    expect(page.locator(".recharts-surface path.recharts-curve").first).to_be_visible(timeout=20_000)


def test_a_password_never_reaches_the_address_even_before_the_page_is_ready(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stack.url('web')}/login")
    page.get_by_label("Password", exact=True).fill("hunter2")
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    assert "hunter2" not in page.url
    context.close()
