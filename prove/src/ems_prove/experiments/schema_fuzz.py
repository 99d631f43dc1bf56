"""Schemathesis against a whole backend, as viewer, org admin and platform admin.

The stack is one of its own: what is sent here changes and deletes whatever it may.
"""

from __future__ import annotations

from typing import Any

import httpx
import requests
from ems_stack.client import LoggedIn
from ems_stack.options import StackOptions
from ems_stack.stack import Stack
from schemathesis import Case, Response
from testing.fuzz import Ids, Report, Send, fuzz

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab

ROLES = ("viewer", "org_admin", "platform_admin")
EXAMPLES = 20
"""Valid calls of each operation and role; invalid ones are half as many."""

LAST = frozenset(
    {
        "change_password",
        "confirm_two_factor",
        "disable_two_factor",
        "forgot_password",
        "invitation_accept",
        "invitation_look",
        "login",
        "reset_password",
        "sandbox_create",
        "settings_change",
        "setup",
        "start_two_factor",
    }
)
"""They count guesses, or end what the others need: asked when all else is done, with the tokens taken before."""

LISTS = {
    "access_token": "access-tokens",
    "asset": "assets",
    "device": "devices",
    "edge": "edges",
    "invitation": "invitations",
    "membership": "memberships",
    "organization": "organizations",
    "point": "points",
    "site": "sites",
    "site_access": "site-access",
    "user": "users",
}


def measure(_: Lab, examples: int = EXAMPLES) -> Outcome:
    options = StackOptions(services=frozenset({"backend"}), durable=False)
    with Stack(options) as stack:
        report = attack(stack, examples)
    found = "".join(f"\n{told}\n{again}" for told, again in sorted(report.failures.items()))
    errors, undocumented = report.count("ServerError"), report.count("UndefinedStatusCode")
    return Outcome(
        f"{report.calls:,} calls of {report.operations} operations as {len(ROLES)} roles: {errors} server errors, "
        f"{undocumented} undocumented statuses, {len(report.failures) - errors - undocumented} other failures{found}",
        "none",
        report.calls > 0 and not report.failures,
    )


def attack(stack: Stack, examples: int) -> Report:
    url = stack.url("backend")
    logins = {role: _login(stack, role) for role in ROLES}
    ids = _ids(url, logins["platform_admin"])
    document = _document(url, logins["platform_admin"])
    report = Report()
    for role in ROLES:
        report.add(fuzz(document, _sender(url, logins[role]), examples=examples, ids=ids, without=LAST))
    for role in ROLES:
        report.add(fuzz(document, _sender(url, logins[role]), examples=max(2, examples // 5), ids=ids, only=LAST))
    report.operations = sum(len(methods) for methods in document["paths"].values())
    return report


def _login(stack: Stack, role: str) -> LoggedIn:
    account = stack.account(role)
    return LoggedIn(stack.url("backend"), account.email, account.password)


def _sender(url: str, login: LoggedIn) -> Send:
    session = requests.Session()
    session.trust_env = False

    def send(case: Case[Any]) -> Response:
        headers = {"Authorization": f"Bearer {login.token()}"}
        return case.call(base_url=url, session=session, headers=headers, timeout=30)

    return send


def _document(url: str, login: LoggedIn) -> dict[str, Any]:
    answer = httpx.get(f"{url}/api/schema?format=json", auth=login, timeout=30, trust_env=False)
    document: dict[str, Any] = answer.raise_for_status().json()
    return document


def _ids(url: str, login: LoggedIn) -> Ids:
    """A few of each, of all organizations: some are the caller's own, and the others are foreign."""
    found = {}
    with httpx.Client(base_url=url, auth=login, timeout=30, trust_env=False) as client:
        for thing, collection in LISTS.items():
            rows = client.get(f"/api/{collection}", params={"page_size": 200}).raise_for_status().json()["results"]
            found[thing] = [row["id"] for row in rows[:: max(1, len(rows) // 8)]]
    return found
