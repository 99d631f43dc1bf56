"""How the tests of this app ask and read answers."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient


def send(client: APIClient, method: str, url: str, body: object = None) -> Any:
    """With a JSON body, if there is one."""
    return getattr(client, method.lower())(url, body, format="json")


def fields(answer: Any) -> list[str]:
    """The fields that a 400 names."""
    assert answer.status_code == 400, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def code(answer: Any) -> tuple[int, str]:
    """(status, the problem's code)"""
    return answer.status_code, answer.json()["type"].removeprefix("urn:ems:problem:")
