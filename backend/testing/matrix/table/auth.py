"""Logging in and one's own account."""

from __future__ import annotations

from testing.matrix.grids import ALREADY_SET_UP, ANY_CREDENTIAL, PUBLIC, REFRESH_COOKIE
from testing.matrix.row import Row

ROWS = (
    Row("login", PUBLIC, body={"email": "bob@example.com", "password": "{own.password}"}),
    Row("refresh", REFRESH_COOKIE, cookie=True),
    Row("logout", PUBLIC, cookie=True),
    Row("me", ANY_CREDENTIAL),
    Row(
        "setup",
        ALREADY_SET_UP,
        body={
            "token": "x",
            "email": "first@example.com",
            "name": "First",
            "password": "{own.password}",
            "organization": "First",
        },
    ),
)
