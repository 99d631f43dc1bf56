"""The admin and the API's page in a real browser: nothing that they show needs an exception from the policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ems_prove.browser import log_in
from ems_stack.stack import Stack
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def policy_is_kept(page: Page) -> Iterator[None]:
    """A violation of the content security policy is an error on the console."""
    violations: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            violations.append(message.text)

    page.on("console", heard)
    yield
    assert violations == []


def enter(page: Page, stack: Stack) -> str:
    """-> the admin's address."""
    account = stack.account("platform_admin")
    address = f"{stack.url('backend')}/admin"
    page.goto(f"{address}/login/")
    page.get_by_label("Email").fill(account.email)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    return address


def test_every_page_lives_under_the_policy_and_fits_a_phone(page: Page, stack: Stack) -> None:
    address = enter(page, stack)
    lists = page.locator(".rail nav a").evaluate_all("links => links.map(link => link.href)")
    site, edge = stack.sites[0].id, stack.sites[0].edge_id
    own = [f"{address}/sites/site/{site}/who/", f"{address}/sites/site/{site}/change/"]
    own += [f"{address}/sites/edge/{edge}/change/", f"{address}/sites/edge/do/create-key/?id={edge}"]
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for url in [*lists, *own]:
            page.goto(url)
            page.wait_for_load_state("networkidle")
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{url} is {wider} px wider than {size}"


def test_a_person_is_found_by_typing_and_gets_a_role(page: Page, stack: Stack) -> None:
    address = enter(page, stack)
    site = next(site for site in stack.sites if site.key == "factory")
    page.goto(f"{address}/sites/site/{site.id}/change/")
    page.get_by_role("button", name="Add another").click()
    page.locator(".select2-selection:visible").last.click()
    page.keyboard.type("consultant")
    page.get_by_role("option", name="consultant@").click()
    page.locator("select[name$=role]:visible").last.select_option("viewer")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.get_by_role("link", name="Who can see it").click()
    expect(page.get_by_role("row", name="consultant@")).to_contain_text("Viewer of this site.")


def test_a_developer_reads_and_tries_the_api_with_the_session_of_the_browser(page: Page, stack: Stack) -> None:
    account = stack.account("developer")
    log_in(page, stack.url("web"), account.email, account.password)
    page.goto(f"{stack.url('web')}/api/docs")
    page.locator("[data-tag=me]").click()
    page.locator("[id^=operations-me-]", has_text="/api/auth/me").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").first).to_contain_text(account.email)
    assert "Bearer" not in page.url
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_the_page_of_the_api_shows_nothing_of_it_by_itself(browser: Browser, stack: Stack) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{stack.url('web')}/api/docs")
    assert page.locator("#docs").inner_text() == "Loading the description…"
    page.close()
