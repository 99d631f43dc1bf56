"""The programs in docs/guides/live-data.md are whole, and run; its tables leave nothing out."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import pytest
from client_support.people import ALICE
from client_support.relay import Relay
from ems_client import EndReason, Event
from ems_contract.frames import CloseCode
from realtime_support.running import ORIGIN, Running

REPOSITORY = Path(__file__).parents[2]
GUIDE = (REPOSITORY / "docs" / "guides" / "live-data.md").read_text(encoding="utf-8")
TYPESCRIPT = REPOSITORY / "web" / "node_modules" / "typescript" / "bin" / "tsc"
Publish = Callable[..., None]

HARNESS = """
Math.random = () => 0.01;  // lucky: no long wait
const { follow } = await import(process.env.MODULE);
const token = async () => process.env.EMS_LIVE_TOKEN;
const show = (reading) => console.log(JSON.stringify(reading.values));
const missed = (since) => console.log(`missed since ${since}`);
const stop = follow(process.env.EMS_LIVE_URL, token, "site_7", show, missed);
process.on("SIGTERM", () => { stop(); console.log("stopped"); process.exit(0); });
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@asynccontextmanager
async def started(*words: object, **environment: str) -> AsyncIterator[Process]:
    env = {**os.environ, "EMS_LIVE_TOKEN": ALICE, "EMS_LIVE_ORIGIN": ORIGIN, **environment}
    process = await asyncio.create_subprocess_exec(*map(str, words), env=env, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def line_with(process: Process, mark: str) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while mark not in (line := (await process.stdout.readline()).decode()):
            assert line, f"it ended before {mark!r} came: {(await process.stderr.read()).decode()}"
    return line


async def test_the_python_program_prints_what_is_measured(service: Running, publish: Publish, tmp_path: Path) -> None:
    publish(7, 41)
    program = tmp_path / "program.py"
    program.write_text(blocks("python")[0])
    async with Relay(service.port) as relay, started(sys.executable, program, EMS_LIVE_URL=relay.url) as process:
        await line_with(process, "link live")
        assert (await line_with(process, "grid_meter")).split()[1:] == ["grid_meter.power_0", "41.0", "good"]
        publish(7, 42)
        await line_with(process, " 42.0 ")
        target, relay.target = relay.target, None
        relay.cut()
        await line_with(process, "link waiting")
        publish(7, 43)
        publish(7, 44)
        relay.target = target
        await line_with(process, "fetch site_7 from")


def test_the_other_python_examples_are_python() -> None:
    for block in blocks("python")[1:]:
        exec(compile(block, "live-data.md", "exec"), {"__name__": "guide"})  # noqa: S102 -- our own guide


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's TypeScript as a module; strictly checked on the way."""
    if shutil.which("node") is None or not TYPESCRIPT.exists():
        pytest.skip("Node.js and the web's packages are needed: stack/setup.sh web")
    home = tmp_path_factory.mktemp("typescript")
    (block,) = blocks("typescript")
    (home / "follow.mts").write_text(block)
    return home


async def test_the_typescript_program_follows_and_comes_back(
    start: Callable[..., Running], publish: Publish, compiled: Path
) -> None:
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"]
    async with started("node", TYPESCRIPT, *options, compiled / "follow.mts") as compiler:
        said, _ = await compiler.communicate()
        assert compiler.returncode == 0, said.decode()
    publish(7, 41)
    service = start(allow_no_origin=True)
    words = ["node", "--experimental-websocket", "--input-type=module", "--eval", HARNESS]
    async with Relay(service.port) as relay:
        given = {"EMS_LIVE_URL": relay.url, "MODULE": str(compiled / "follow.mjs")}
        async with started(*words, **given) as process:
            assert await line_with(process, "power_0") == '{"grid_meter.power_0":41}\n'
            publish(7, 42)
            await line_with(process, "42")
            relay.cut()
            await line_with(process, "missed since")
            publish(7, 43)
            await line_with(process, "43")
            process.terminate()
            await line_with(process, "stopped")


def test_the_tables_name_every_event_reason_and_code() -> None:
    for event in get_args(Event):
        assert f"`{event.__name__}`" in GUIDE
    for reason in EndReason:
        assert f"| `{reason.value}` |" in GUIDE
    for code in CloseCode:
        assert f"| {code.value} `{code.name}` |" in GUIDE
