"""How people come to what they see, and how it is taken from them, in real browsers over the whole stack."""

from __future__ import annotations

import re
import secrets

import pytest
from ems_stack.stack import Stack
from people import Newcomer, link_in_mail, newcomer, signed_in, somebody
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]

ADMIN = "orgadmin@nordwerk.example"


def people_page(page: Page, stack: Stack) -> None:
    """Opens the people of the organization by the rail."""
    page.goto(f"{stack.url('web')}/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="People").click()
    expect(page.get_by_role("heading", name="Members")).to_be_visible()


def settings_page(page: Page, stack: Stack, site: int, part: str = "general") -> None:
    page.goto(f"{stack.url('web')}/sites/{site}/settings?part={part}")


def change_role(stack: Stack, who: Newcomer, role: str | None) -> None:
    """By their org admin, through the API; None takes the site away."""
    with stack.client(who.admin) as client:
        rows = client.get("/api/site-access", params={"site": who.site, "user": who.id}).raise_for_status().json()
        address = f"/api/site-access/{rows['results'][0]['id']}"
        answer = client.delete(address) if role is None else client.patch(address, json={"role": role})
        answer.raise_for_status()


def test_an_invited_person_joins_by_the_link_and_sees_only_the_site_they_were_given(
    browser: Browser, stack: Stack
) -> None:
    email = f"ines-{secrets.token_hex(4)}@people.example"
    factory = next(site for site in stack.sites if site.key == "factory")
    with signed_in(browser, stack, ADMIN) as admin:
        people_page(admin, stack)
        admin.get_by_role("button", name="Invite", exact=True).click()
        admin.get_by_label("E-mail").fill(email)
        admin.get_by_label(f"Role on {factory.name}").select_option(label="Viewer")
        admin.get_by_role("button", name="Send the invitation").click()
        expect(admin.get_by_test_id("invitation").filter(has_text=email)).to_contain_text(f"{factory.name} as viewer")
        link = link_in_mail(stack, email, "invitation")

        with somebody(browser) as page:
            page.goto(link)
            expect(page.get_by_role("heading", name=f"Join {factory.organization}")).to_be_visible()
            expect(page.get_by_text("as member")).to_be_visible()
            assert "token" not in page.url
            page.get_by_label("Your name").fill("Ines Neu")
            page.get_by_label("Password").fill(secrets.token_urlsafe(16))
            page.get_by_role("button", name="Create the account and join").click()
            page.wait_for_url(f"{stack.url('web')}/")
            expect(page.get_by_test_id("site-row")).to_have_count(1)
            expect(page.get_by_test_id("site-row")).to_contain_text(factory.name)
            rail = page.get_by_role("navigation", name="Main")
            expect(rail.get_by_role("link", name="People")).to_have_count(0)
            page.goto(f"{stack.url('web')}/sites/{stack.site_ids['warehouse']}")
            expect(page.get_by_test_id("not-found")).to_be_visible()

        admin.reload()
        expect(admin.get_by_test_id("member").filter(has_text=email)).to_contain_text("Ines Neu")
        expect(admin.get_by_test_id("invitation").filter(has_text=email)).to_have_count(0)


def test_a_link_that_was_used_says_what_to_do(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Uwe", "viewer")
    with somebody(browser) as page:
        page.goto(link_in_mail(stack, who.email, "invitation"))
        expect(page.get_by_role("alert").filter(has_text="Ask whoever invited you for a new one")).to_be_visible()


def test_a_weaker_role_narrows_the_open_page_at_once(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Mara", "site_manager")
    with signed_in(browser, stack, who) as page:
        settings_page(page, stack, who.site)
        expect(page.get_by_label("Time zone")).to_be_visible()
        change_role(stack, who, "viewer")
        expect(page.get_by_text("Your role has no settings here")).to_be_visible()
        expect(page.get_by_role("link", name="Settings")).to_have_count(0)


def test_a_site_that_is_taken_away_says_so_on_the_open_page(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Rolf", "operator")
    with signed_in(browser, stack, who) as page:
        page.goto(f"{stack.url('web')}/sites/{who.site}")
        expect(page.locator("[data-point]").first).to_be_visible()
        change_role(stack, who, None)
        expect(page.get_by_test_id("access-ended")).to_contain_text("You no longer have access")
        expect(page.locator("[data-point]")).to_have_count(0)


def test_a_site_manager_gives_only_roles_that_are_weaker_than_their_own(browser: Browser, stack: Stack) -> None:
    manager, viewer = newcomer(stack, "Max", "site_manager"), newcomer(stack, "Vera", "viewer")
    with signed_in(browser, stack, manager) as page:
        settings_page(page, stack, manager.site, "people")
        row = page.get_by_test_id("site-person").filter(has_text=viewer.email)
        choice = row.get_by_label(f"Role of {viewer.name}")
        expect(choice.locator("option")).to_have_text(["Viewer", "Operator"])
        choice.select_option(label="Operator")
        expect(row).to_contain_text("Operator of this site")
        itself = page.get_by_test_id("site-person").filter(has_text=manager.email)
        expect(itself.get_by_role("button")).to_have_count(0)

        row.get_by_role("button", name=f"Remove {viewer.name}").click()
        page.get_by_role("alertdialog").get_by_role("button", name=f"Remove {viewer.name}").click()
        expect(row).to_have_count(0)


def test_an_unknown_address_is_refused_at_its_field_and_can_be_invited(browser: Browser, stack: Stack) -> None:
    manager = newcomer(stack, "Mona", "site_manager")
    email = f"nora-{secrets.token_hex(4)}@people.example"
    with signed_in(browser, stack, manager) as page:
        settings_page(page, stack, manager.site, "people")
        page.get_by_role("button", name="Add a person").click()
        page.get_by_label("E-mail").fill(email)
        page.get_by_role("button", name="Add to the site").click()
        expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
        page.get_by_role("button", name="Invite by e-mail").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert link_in_mail(stack, email, "invitation")


def test_the_last_org_admin_is_told_why_they_stay(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack, ADMIN) as page:
        people_page(page, stack)
        row = page.get_by_test_id("member").filter(has_text=ADMIN)
        row.get_by_label(re.compile("Role of")).select_option(label="Member")
        expect(row.get_by_role("alert")).to_be_visible()
        expect(row.get_by_label(re.compile("Role of"))).to_have_value("org_admin")


def test_the_audit_log_tells_who_changed_what_and_can_be_taken_along(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Ada", "viewer")
    change_role(stack, who, "operator")
    with signed_in(browser, stack, ADMIN) as page:
        page.goto(f"{stack.url('web')}/")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit log").click()
        page.get_by_label("Search").fill(who.email)
        page.get_by_label("Search").press("Enter")
        entry = page.get_by_test_id("audit-entry").filter(has_text=re.compile("Site access changed"))
        expect(entry).to_have_count(1)
        entry.get_by_role("button").click()
        expect(entry.get_by_role("row").filter(has_text="Role")).to_contain_text(re.compile("viewer.*operator"))
        expect(entry).to_contain_text(who.admin)
        with page.expect_download() as download:
            page.get_by_role("button", name="Export as CSV").click()
        assert who.email in download.value.path().read_text()


def test_a_viewer_is_offered_nothing_to_administer(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack, "viewer") as page:
        rail = page.get_by_role("navigation", name="Main")
        expect(rail.get_by_role("link", name="Overview", exact=True)).to_be_visible()
        for name in ("People", "Audit log", "Organizations", "Settings", "Platform"):
            expect(rail.get_by_role("link", name=name)).to_have_count(0)
        with stack.client(ADMIN) as client:
            organization = client.get("/api/organizations").json()["results"][0]["id"]
        for address in ("people", "audit"):
            page.goto(f"{stack.url('web')}/organizations/{organization}/{address}")
            expect(page.get_by_test_id("not-found")).to_be_visible()


def test_an_edge_key_is_shown_once_with_the_file_that_the_edge_starts_from(browser: Browser, stack: Stack) -> None:
    with signed_in(browser, stack, ADMIN) as page:
        settings_page(page, stack, stack.site_ids["factory"], "edges")
        page.get_by_role("button", name="New edge").click()
        page.get_by_label("Name").fill("Spare edge")
        page.get_by_role("button", name="Make the edge").click()
        edge = page.get_by_test_id("edge").filter(has_text="Spare edge")
        expect(edge).to_contain_text("has never connected")
        edge.get_by_role("button", name="New key").click()
        key = page.get_by_test_id("new-edge-key").inner_text()
        assert re.fullmatch(r"ems_[0-9a-z]+_[\w-]+", key)
        expect(page.get_by_test_id("bootstrap")).to_contain_text(f"key: {key}")
        page.get_by_role("button", name="I have copied it").click()
        assert key not in page.content()

        edge.get_by_role("button", name=re.compile("Revoke the key")).click()
        page.get_by_role("alertdialog").get_by_role("button", name="Revoke the key").click()
        expect(edge).to_contain_text("No key works")
        edge.get_by_role("button", name="Delete Spare edge").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Delete Spare edge").click()
        expect(edge).to_have_count(0)


def test_no_page_about_people_is_cut_off_on_a_phone(browser: Browser, stack: Stack) -> None:
    factory = stack.site_ids["factory"]
    with signed_in(browser, stack, ADMIN) as page:
        with stack.client(ADMIN) as client:
            organization = client.get("/api/organizations").json()["results"][0]["id"]
        parts = [f"/sites/{factory}/settings?part={part}" for part in ("general", "people", "edges", "equipment")]
        pages = ["/account", "/organizations", f"/organizations/{organization}/people", *parts]
        page.set_viewport_size({"width": 360, "height": 780})
        for address in (*pages, f"/organizations/{organization}/audit"):
            page.goto(stack.url("web") + address)
            expect(page.get_by_role("main").get_by_role("listitem").or_(page.locator("form")).first).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
