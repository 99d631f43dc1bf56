"""`ems-live watch`, as a person or a script meets it: words, streams, exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from client_support.people import ALICE
from ems_client import Alert, Sample, lines
from ems_client.main import main
from ems_contract import keys
from ems_contract.alerts import AlertEvent, AlertState, Severity
from realtime_support.batches import token
from realtime_support.redis_process import RedisProcess
from realtime_support.running import ORIGIN, Running

COMMAND = Path(sys.executable).with_name("ems-live")
Publish = Callable[..., None]
Begin = Callable[..., Any]


@pytest.fixture
async def begin(service: Running) -> AsyncIterator[Begin]:
    """Start the command with these words; it is killed at the end of the test."""
    begun: list[Process] = []

    async def once(*words: str, **environment: str) -> Process:
        given = {"PATH": os.environ["PATH"], "EMS_LIVE_URL": service.url, "EMS_LIVE_ORIGIN": ORIGIN, **environment}
        begun.append(await asyncio.create_subprocess_exec(COMMAND, *words, env=given, stdout=PIPE, stderr=PIPE))
        return begun[-1]

    yield once
    for process in begun:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def line_with(stream: asyncio.StreamReader | None, mark: str) -> str:
    assert stream is not None
    async with asyncio.timeout(20):
        while mark not in (line := (await stream.readline()).decode()):
            assert line, f"the stream ended before {mark!r} came"
    return line


async def test_values_go_to_standard_output_and_the_link_s_state_to_standard_error(
    begin: Begin, publish: Publish
) -> None:
    publish(7, 41)
    process = await begin("watch", "site_7", EMS_LIVE_TOKEN=ALICE)
    assert (await line_with(process.stdout, "site_7")).split()[1:] == ["site_7", "grid_meter.power_0", "41"]
    assert "live" in await line_with(process.stderr, "-- live")
    publish(7, 42)
    await line_with(process.stdout, " 42\n")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_json_is_an_object_a_line_for_every_event(
    begin: Begin, publish: Publish, redis: RedisProcess, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{ALICE}\n")
    publish(7, 41, points=3)
    process = await begin("watch", "site_7", "--json", "--point", "grid_meter.power_1", "--token-file", str(file))
    assert json.loads(await line_with(process.stdout, '"state"'))["state"] == "connecting"
    assert json.loads(await line_with(process.stdout, '"grant"'))["sites"][0]["site"] == "site_7"
    (sample,) = json.loads(await line_with(process.stdout, '"snapshot"'))["samples"]
    assert (sample["edge"], sample["point"], sample["value"]) == ("edge_1", "grid_meter.power_1", 41.0)
    event = {"v": 1, "id": "a1", "state": "raised", "severity": "critical", "ts": 1, "rule": "r", "message": "m"}
    redis.admin.publish(keys.alerts_channel(7), json.dumps(event))
    told = json.loads(await line_with(process.stdout, '"alert"'))
    assert told == {"event": "alert", "site": "site_7", "alert": event}


async def test_it_stops_after_the_seconds_it_was_given(begin: Begin) -> None:
    process = await begin("watch", "site_7", "--seconds", "0.2", EMS_LIVE_TOKEN=ALICE)
    assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.parametrize(
    ("words", "environment", "code", "sentence"),
    [
        (["site_7"], {}, 2, "no token: set EMS_LIVE_TOKEN"),
        (["site_x"], {"EMS_LIVE_TOKEN": ALICE}, 2, "site: 'site_x' is not a site's name"),
        (["site_7", "--interval", "90000"], {"EMS_LIVE_TOKEN": ALICE}, 2, "interval: 90000 ms"),
        (["site_7", "--url", "http://x"], {"EMS_LIVE_TOKEN": ALICE}, 2, "url: not a WebSocket's URL"),
        (["site_7", "--origin", "http://x"], {"EMS_LIVE_TOKEN": ALICE}, 1, "this origin is not allowed"),
        (["site_7"], {"EMS_LIVE_TOKEN": token(1, 66)}, 1, "UNAUTHENTICATED"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    service: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    environment: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    for name, value in {"EMS_LIVE_URL": service.url, "EMS_LIVE_ORIGIN": ORIGIN, **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["watch", *words])
    assert ended.value.code == code
    assert sentence in capsys.readouterr().err


async def test_whoever_reads_may_have_had_enough(service: Running, publish: Publish) -> None:
    publish(7, 41)
    command = f"{COMMAND} watch site_7 --json | head -1"
    given = {"EMS_LIVE_URL": service.url, "EMS_LIVE_ORIGIN": ORIGIN, "EMS_LIVE_TOKEN": ALICE}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", command), env={**os.environ, **given}, stdout=PIPE, stderr=PIPE
    )
    out, said = await asyncio.wait_for(process.communicate(), 20)
    assert (out.count(b"\n"), said, process.returncode) == (1, b"", 0)


def test_what_others_wrote_moves_no_cursor() -> None:
    alert = AlertEvent(1, "a", AlertState.RAISED, Severity.INFO, 1, "r", "\x1b[2Jgone\n")
    line = lines._plain(lines.sentence(Alert("site_7", alert)))
    assert line.isprintable()
    assert "gone" in line


def test_a_value_that_is_not_good_shows_its_reason() -> None:
    line = lines.sample_line(Sample("site_7", "edge_1", "pv.power", 1_790_000_000_123, None, "timeout"))
    assert line.split() == ["14:13:20.123Z", "site_7", "pv.power", "-", "(timeout)"]
