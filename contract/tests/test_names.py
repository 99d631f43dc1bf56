"""Redis names, receipts, log lines."""

from __future__ import annotations

import itertools
import json
import logging

import pytest
import structlog
from ems_contract import frames, keys, logs, provisioning
from ems_contract.receipts import Ranges, covers, format_receipts, normalise, parse_receipts
from hypothesis import given
from hypothesis import strategies as st

ids = st.integers(1, 10**17)


@given(ids, ids, st.sampled_from(keys.LANES))
def test_a_stream_key_tells_site_edge_and_lane(site: int, edge: int, lane: keys.Lane) -> None:
    assert keys.parse_stream(keys.telemetry_stream(site, edge, lane)) == (site, edge, lane)


@given(ids)
def test_channels_tell_their_site_or_user(number: int) -> None:
    assert keys.parse_site_channel(keys.telemetry_channel(number)) == ("telemetry", number)
    assert keys.parse_site_channel(keys.alerts_channel(number)) == ("alerts", number)
    assert keys.parse_user_channel(keys.permission_changed_channel(number)) == (number, "permission_changed")
    assert keys.parse_user_channel(keys.user_events_channel(number)) == (number, "events")
    assert keys.site_id(keys.site_name(number)) == number
    assert keys.edge_id(keys.edge_name(number)) == number


@pytest.mark.parametrize("name", ["site_0", "site_", "site_07", "site_7 ", "site_7\n", "site_*", "edge_7", "site_-1"])
def test_what_is_no_site_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="site"):
        keys.site_id(name)


OWN = {
    "telemetry:{site_7}:edge_3:stream",
    "telemetry:{site_7}:edge_3:backfill",
    "telemetry:{site_7}:latest",
    "telemetry:{site_7}:edge_3:acked",
    "commands:{site_7}:edge_3",
    "events:{site_7}:edge_3",
    "status:{site_7}",
}


@pytest.mark.parametrize("major", [6, 7])
def test_an_edge_may_touch_its_own_names_and_nothing_else(major: int) -> None:
    rules = keys.edge_acl(7, 3, major)
    assert rules[:4] == ["reset", "on", "resetchannels", "-@all"]
    words = " ".join(rules).replace("(", "").replace(")", "").split()
    assert {word.partition("~")[2] for word in words if word[0] in "%~"} == OWN
    assert {word for word in words if word[0] == "&"} == {"&telemetry:site_7", "&edge:3:config_changed"}


def test_each_kind_of_key_has_its_own_commands_where_redis_can_tell_them_apart() -> None:
    selectors = [rule for rule in keys.edge_acl(7, 3) if rule.startswith("(")]
    assert len(selectors) == 5
    assert "(+hset %W~telemetry:{site_7}:latest %W~status:{site_7})" in selectors
    assert "(+get %R~telemetry:{site_7}:edge_3:acked)" in selectors


seqs = st.sets(st.integers(1, 60), max_size=40)


@given(seqs)
def test_ranges_hold_exactly_the_seqs_they_were_made_from(members: set[int]) -> None:
    ranges = normalise((seq, seq) for seq in members)
    assert {seq for seq in range(62) if covers(ranges, seq)} == members
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(ranges))


@given(st.dictionaries(st.uuids().map(str), seqs.filter(bool).map(lambda s: normalise((n, n) for n in s)), max_size=3))
def test_a_receipt_comes_back_from_its_text(receipts: dict[str, Ranges]) -> None:
    assert parse_receipts(format_receipts(receipts)) == receipts


def test_a_receipt_that_cannot_be_read_names_its_line() -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_receipts("0f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5: 1-9\nnonsense")


def test_joined_batches_make_a_frame_with_the_original_bytes() -> None:
    frame = frames.join_batches("telemetry", "site_7", [b'{"seq": 1}', b'{"seq":2.0}'])
    assert frame == b'{"type":"telemetry","site":"site_7","batches":[{"seq": 1},{"seq":2.0}]}'


@pytest.mark.parametrize(
    "secret",
    [
        "ems_ab12cd_0123456789abcdefABCDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "redis://realtime:hunter2@127.0.0.1:6379/0",
        "postgresql://ems:hunter2@db/ems",
    ],
)
def test_a_secret_never_reaches_a_log_line(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure("test")
        structlog.get_logger("a").info(
            f"connect {secret}", password="hunter2", url=secret, nested={"x": secret, "token": "hunter2"}
        )
        logging.getLogger("b").warning("connect %s", secret)
        try:
            raise RuntimeError(secret)
        except RuntimeError:
            structlog.get_logger("c").exception("failed")
    finally:
        logging.getLogger().handlers[:], _ = before
        logging.getLogger().setLevel(before[1])
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 3
    assert all(line["service"] == "test" and line["ts"] and line["level"] for line in lines)
    assert "hunter2" not in json.dumps(lines)
    assert secret not in json.dumps(lines)


def test_secrets_never_reach_a_repr() -> None:
    assert "hunter2" not in repr(provisioning.RedisAccess(url="redis://h", username="u", password="hunter2"))
    assert "a.b.c" not in repr(frames.Auth(token="a.b.c"))
