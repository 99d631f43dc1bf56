"""What people do with their own account: second factor, password, sessions, access tokens."""

from __future__ import annotations

import re
import secrets

import httpx
import pytest
from ems_prove.browser import log_in
from ems_stack.stack import Stack
from people import Newcomer, code_of, link_in_mail, newcomer, signed_in, somebody
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.stack, pytest.mark.timeout(300)]


def password_step(page: Page, stack: Stack, email: str, password: str) -> None:
    page.goto(f"{stack.url('web')}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def turn_on_two_factor(page: Page, stack: Stack, password: str) -> tuple[str, list[str]]:
    """-> the authenticator's secret and the recovery codes."""
    page.goto(f"{stack.url('web')}/account")
    page.get_by_role("button", name="Turn on").click()
    secret = page.get_by_test_id("two-factor-secret").inner_text()
    picture = page.get_by_alt_text("The code for the authenticator app")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_label("Your password").fill(password)
    page.get_by_role("dialog").get_by_role("button", name="Turn on").click()
    codes = page.get_by_test_id("recovery-codes").inner_text().split()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("Signing in asks for a code.")).to_be_visible()
    return secret, codes


def test_with_a_second_factor_the_password_alone_opens_nothing(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Theo", "viewer")
    with signed_in(browser, stack, who) as page:
        _, codes = turn_on_two_factor(page, stack, who.password)
        page.get_by_test_id("profile").click()
        page.get_by_role("menuitem", name="Sign out").click()
        page.wait_for_url(re.compile("/login"))

        password_step(page, stack, who.email, who.password)
        expect(page.get_by_test_id("code-step")).to_be_visible()
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="This code is not right")).to_be_visible()
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{stack.url('web')}/")

        page.goto(f"{stack.url('web')}/account")
        page.get_by_role("button", name="Turn off").click()
        page.get_by_label("Your password").fill(who.password)
        page.get_by_role("dialog").get_by_role("button", name="Turn off").click()
        expect(page.get_by_text("The password alone signs you in.")).to_be_visible()


def test_a_token_is_shown_once_works_and_is_revoked(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Tom", "viewer")
    with signed_in(browser, stack, who) as page:
        page.goto(f"{stack.url('web')}/account")
        page.get_by_role("button", name="New token").click()
        page.get_by_label("Name", exact=True).last.fill("Nightly export")
        page.get_by_role("button", name="Make the token").click()
        token = page.get_by_test_id("new-token").inner_text()
        assert token.startswith("emt_")

        def sites() -> httpx.Response:
            return httpx.get(f"{stack.url('backend')}/api/sites", headers={"Authorization": f"Bearer {token}"})

        assert [site["id"] for site in sites().json()["results"]] == [who.site]
        page.get_by_role("button", name="I have copied it").click()
        page.reload()
        row = page.get_by_test_id("access-token").filter(has_text="Nightly export")
        expect(row).to_contain_text("all sites")
        assert token not in page.content()

        row.get_by_role("button", name="Revoke Nightly export").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Revoke the token").click()
        expect(row).to_contain_text("Revoked")
        assert sites().status_code == 401


def test_a_forgotten_password_is_set_anew_by_a_link_and_ends_every_session(browser: Browser, stack: Stack) -> None:
    who, new = newcomer(stack, "Paul", "viewer"), secrets.token_urlsafe(16)
    with signed_in(browser, stack, who) as old, somebody(browser) as page:
        expect(old.get_by_test_id("site-row")).to_have_count(1)
        said = [forget(page, stack, email) for email in ("nobody@people.example", who.email)]
        assert said[0] == said[1]
        page.goto(link_in_mail(stack, who.email, "reset-password"))
        page.get_by_label("New password").fill(new)
        assert "token" not in page.url
        page.get_by_role("button", name="Set the new password").click()
        page.wait_for_url(re.compile("/login"))
        expect(page.get_by_role("alert").filter(has_text="Your password is changed")).to_be_visible()
        log_in(page, stack.url("web"), who.email, new)
        old.wait_for_url(re.compile("/login"))


def forget(page: Page, stack: Stack, email: str) -> str:
    """-> what is answered."""
    page.goto(f"{stack.url('web')}/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.wait_for_url(re.compile("/forgot-password"))
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the link").click()
    answer = page.get_by_role("alert").filter(has_text="on its way")
    expect(answer).to_be_visible()
    return answer.inner_text()


def test_another_device_is_signed_out_from_the_list_of_sessions(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Sara", "viewer")
    with signed_in(browser, stack, who) as other, signed_in(browser, stack, who) as page:
        expect(other.get_by_test_id("site-row")).to_have_count(1)
        page.goto(f"{stack.url('web')}/account")
        sessions = page.get_by_test_id("login-session")
        # The third is that of the invitation, which signs in.
        expect(sessions).to_have_count(3)
        expect(sessions.filter(has_text="This device").get_by_role("button")).to_have_count(0)
        for _ in range(2):
            left = sessions.count()
            sessions.get_by_role("button", name=re.compile("End the session")).first.click()
            page.get_by_role("alertdialog").get_by_role("button", name="End the session").click()
            expect(sessions).to_have_count(left - 1)
        other.wait_for_url(re.compile("/login"))


def test_a_changed_password_keeps_this_device_and_a_wrong_one_is_refused_at_its_field(
    browser: Browser, stack: Stack
) -> None:
    who, new = newcomer(stack, "Pia", "viewer"), secrets.token_urlsafe(16)
    with signed_in(browser, stack, who) as page:
        page.goto(f"{stack.url('web')}/account")
        change_password(page, "not the password", new)
        expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
        change_password(page, who.password, new)
        expect(page.get_by_text("Changed. Other devices are signed out.")).to_be_visible()
        expect(page.get_by_test_id("login-session")).to_have_count(1)
        page.reload()
        expect(page.get_by_role("heading", name="Account")).to_be_visible()


def change_password(page: Page, current: str, new: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password").fill(new)
    page.get_by_role("button", name="Change the password").click()


def test_someone_with_an_account_joins_with_it(browser: Browser, stack: Stack) -> None:
    who = newcomer(stack, "Carla", "viewer")
    link = invite_elsewhere(stack, who)
    with somebody(browser) as page:
        page.goto(link)
        expect(page.get_by_label("E-mail")).to_have_value(who.email)
        page.get_by_label("Password", exact=True).fill(who.password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=re.compile("^Join ")).click()
        page.wait_for_url(f"{stack.url('web')}/")
        expect(page.get_by_test_id("site-row")).to_have_count(2)


def invite_elsewhere(stack: Stack, who: Newcomer) -> str:
    """To a site of the other organization of the demo -> the link."""
    own = next(site.organization for site in stack.sites if site.id == who.site)
    other = next(site for site in stack.sites if site.organization != own)
    admin = next(one for one in stack.accounts if one.role == "org_admin" and one.organization == other.organization)
    with stack.client(admin.email) as client:
        organization = client.get(f"/api/sites/{other.id}").raise_for_status().json()["organization"]["id"]
        sites = [{"site": other.id, "role": "viewer"}]
        body = {"organization": organization, "email": who.email, "role": "member", "sites": sites}
        client.post("/api/invitations", json=body).raise_for_status()
    return link_in_mail(stack, who.email, "invitation", 2)
