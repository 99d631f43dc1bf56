"""Logging in and one's own account."""

from __future__ import annotations

from testing.matrix.grids import ANY_CREDENTIAL, LOGIN, OWN_ONLY, PUBLIC, REFRESH_COOKIE
from testing.matrix.row import Row

ROWS = (
    Row("login", PUBLIC, body={"email": "bob@example.com", "password": "{own.password}"}),
    Row("refresh", REFRESH_COOKIE, cookie=True),
    Row("logout", PUBLIC, cookie=True),
    Row("me", ANY_CREDENTIAL),
    Row("change_me", LOGIN, body={"name": "Renamed"}),
    Row("change_password", LOGIN, body={"current": "{own.password}", "new": "another long pass phrase"}),
    Row("forgot_password", PUBLIC, body={"email": "{email}"}),
    Row("reset_password", PUBLIC.meeting(403), body={"token": "x", "new": "another long pass phrase"}),
    Row("login_sessions", LOGIN),
    Row("end_login_session", OWN_ONLY),
    Row("two_factor", LOGIN),
    Row("start_two_factor", LOGIN),
    Row("confirm_two_factor", LOGIN.meeting(409), body={"code": "123456", "password": "x"}),
    Row("disable_two_factor", LOGIN, body={"password": "{own.password}"}),
    Row(
        "setup",
        PUBLIC.meeting(403),  # there is somebody already
        body={
            "token": "x",
            "email": "first@example.com",
            "name": "First",
            "password": "{own.password}",
            "organization": "First",
        },
    ),
)
