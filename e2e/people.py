"""What the journeys about people share: somebody in a browser of their own, their mail, the code of their phone."""

from __future__ import annotations

import base64
import hmac
import quopri
import re
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from ems_prove.browser import log_in
from ems_prove.waiting import eventually
from ems_stack.stack import Stack
from playwright.sync_api import Browser, Page, expect

_STEP_SECONDS = 30

expect.set_options(timeout=20_000)  # two cores may be busy with everything else


@dataclass(frozen=True)
class Newcomer:
    """Somebody who exists for one test. `admin`: the org admin of their organization; `site`: the id of their site."""

    id: int
    email: str
    name: str
    password: str = field(repr=False)
    admin: str
    site: int


@contextmanager
def somebody(browser: Browser, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """A page of a browser that nobody has used; an error on its console fails the test."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"the page raised {errors}"


@contextmanager
def signed_in(browser: Browser, stack: Stack, who: str | Newcomer) -> Iterator[Page]:
    """`who`: a role or e-mail of the demo, or a newcomer."""
    with somebody(browser) as page:
        account = stack.account(who) if isinstance(who, str) else who
        log_in(page, stack.url("web"), account.email, account.password)
        yield page


def link_in_mail(stack: Stack, address: str, what: str, number: int = 1) -> str:
    """A link `/<what>#token=...` that was mailed to an address: the first, or a later one. Mail is in the log here."""

    def links() -> list[str]:
        found: list[str] = []
        for service in ("backend", "worker"):
            for mail in stack.log_file(service).read_bytes().split(b"\nSubject: "):
                text = quopri.decodestring(mail).decode(errors="replace")
                if f"To: {address}\n" in text:
                    found += re.findall(rf"https?://\S+/{what}#token=\S+", text)
        return found if len(found) >= number else []

    return eventually(f"mail {number} to {address}", links, 20)[number - 1]


def code_of(secret: str, at: float | None = None) -> str:
    """What an authenticator shows for a secret (RFC 6238, six digits)."""
    counter = int((time.time() if at is None else at) // _STEP_SECONDS)
    key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
    digest = hmac.digest(key, struct.pack(">Q", counter), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def newcomer(stack: Stack, name: str, role: str, site: str = "factory") -> Newcomer:
    """Somebody new in the organization of a demo site, with a role on it, by the way of an invitation."""
    place = next(one for one in stack.sites if one.key == site)
    admin = next(one for one in stack.accounts if one.role == "org_admin" and one.organization == place.organization)
    email = f"{name.lower()}-{secrets.token_hex(4)}@people.example"
    with stack.client(admin.email) as client:
        shown = client.get(f"/api/sites/{place.id}").raise_for_status().json()
        given = [{"site": place.id, "role": role}]
        body = {"organization": shown["organization"]["id"], "email": email, "role": "member", "sites": given}
        client.post("/api/invitations", json=body).raise_for_status()
    token = link_in_mail(stack, email, "invitation").partition("#token=")[2]
    password = secrets.token_urlsafe(16)
    accept = {"token": token, "name": name, "password": password}
    answer = httpx.post(f"{stack.url('backend')}/api/auth/invitation/accept", json=accept).raise_for_status()
    return Newcomer(answer.json()["user"]["id"], email, name, password, admin.email, place.id)
