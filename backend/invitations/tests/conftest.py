"""Sending as the worker does, and what arrives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from invitations.actions import invitations

URL = "/api/invitations"
Invite = Callable[..., Any]
Deliver = Callable[[], str]


@pytest.fixture
def deliver(mailoutbox: list[mail.EmailMessage]) -> Deliver:
    """The worker's turn; then the token of the newest e-mail."""

    def turn() -> str:
        invitations.send()
        found = re.search(r"/invitation#token=([\w-]+)\n", str(mailoutbox[-1].body))
        assert found is not None
        return found[1]

    return turn


def invite(client: APIClient, organization: int, email: str = "new@example.com", **more: Any) -> Any:
    return client.post(URL, {"organization": organization, "email": email, **more}, format="json")
