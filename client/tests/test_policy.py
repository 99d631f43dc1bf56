"""After each close code one defined thing happens, here and in the browser the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ems_client.errors import EndReason
from ems_client.policy import POLICY, Retry, after_close, after_refusal, retry_delay
from ems_contract.frames import CloseCode
from hypothesis import given
from hypothesis import strategies as st

BROWSER = Path(__file__).parents[2] / "web" / "src" / "domain" / "link" / "close-policy.ts"


def test_every_close_code_has_a_policy() -> None:
    assert set(POLICY) == set(CloseCode)


def test_the_browser_does_the_same() -> None:
    found = re.findall(r'\[CloseCode\.(\w+)\]: \{ kind: "(\w+)"(?:, reason: "(\w+)")?', BROWSER.read_text())
    browser = {CloseCode[name]: reason or kind for name, kind, reason in found}
    ours = {code: "token" if what is Retry.FRESH_TOKEN else what.value for code, what in POLICY.items()}
    assert browser == ours


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 4999])
def test_any_other_code_is_a_lost_connection(code: int) -> None:
    assert after_close(code) is Retry.QUICK


@pytest.mark.parametrize(
    ("status", "policy"),
    [
        (301, EndReason.HANDSHAKE_REFUSED),
        (400, EndReason.HANDSHAKE_REFUSED),
        (403, EndReason.HANDSHAKE_REFUSED),
        (404, EndReason.HANDSHAKE_REFUSED),
        (408, Retry.BACKOFF),
        (429, Retry.BACKOFF),
        (502, Retry.BACKOFF),
        (503, Retry.BACKOFF),
    ],
)
def test_a_refused_handshake_is_tried_again_when_the_fault_is_theirs(status: int, policy: Retry | EndReason) -> None:
    assert after_refusal(status) is policy


@given(st.sampled_from(Retry), st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_full_jitter_and_bounded(retry: Retry, attempt: int, random: float) -> None:
    delay = retry_delay(retry, attempt, random)
    assert 0 <= delay <= 120
    assert retry_delay(retry, attempt, 0) == 0
    if retry is not Retry.BACKOFF:
        assert delay <= 10
    if attempt == 0 and retry in (Retry.QUICK, Retry.FRESH_TOKEN):
        assert delay <= 0.5


def test_backing_off_doubles() -> None:
    assert [retry_delay(Retry.BACKOFF, attempt, 1) for attempt in range(6)] == [10, 20, 40, 80, 120, 120]
