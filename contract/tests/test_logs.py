"""What must never reach a log line."""

from __future__ import annotations

import pytest
from ems_contract.logs import REDACTED, redact


@pytest.mark.parametrize(
    "text",
    [
        "redis://realtime:s3cret@localhost:6379/0",
        "redis://:s3cret@localhost:6379/0",
        "postgresql://ems:s3cret@db/ems?host=/run",
        "redis://user:p@s3cret@localhost:6379/0",
        "redis://user:p/s3cret@localhost:6379/0",
        "Bearer eyJhbGciOiJIUzI1NiJ9.s3cret-claims.s3cret",
        "key ems_0123456789ab_s3cret-s3cret-s3cret",
        "token emt_42_0123456789ab_s3cret-s3cret-s3cret-s3cret-s3cret-s3cret-s",
    ],
)
def test_a_secret_inside_a_text_is_replaced(text: str) -> None:
    assert "s3cret" not in redact(text)
    assert REDACTED in redact(text)


@pytest.mark.parametrize(
    "text",
    ["http://localhost:3000/sites", "postgresql://ems@db/ems", "mail to alice@example.com: done", "at 12:00, a@b.c"],
)
def test_what_holds_no_secret_stays(text: str) -> None:
    assert redact(text) == text
