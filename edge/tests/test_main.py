"""The command line: validate, status, and what a wrong file says."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml
from ems_edge import store
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer
from ems_edge.main import app
from typer.testing import CliRunner

KEY = "ems_abc123_thesecretthatnobodysees"
PROFILES = Path(__file__).parents[1] / "src/ems_edge/profiles"


def invoke(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.fixture
def bootstrap(tmp_path: Path) -> Path:
    file = tmp_path / "edge.yaml"
    file.write_text(yaml.safe_dump({"url": "http://127.0.0.1:8000", "key": KEY, "store": "store"}))
    return file


def test_validate_knows_a_bootstrap_a_configuration_and_a_profile(bootstrap: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    connection = {"host": "127.0.0.1"}
    device = {"key": "m", "name": "M", "driver": "modbus", "profile": "stl_meter", "connection": connection}
    config.write_text(yaml.safe_dump({"revision": "1", "devices": [device]}))
    assert invoke("validate", bootstrap) == (
        0,
        f"{bootstrap}: bootstrap, backend http://127.0.0.1:8000, store {tmp_path / 'store'}\n",
    )
    assert invoke("validate", config) == (0, f"{config}: configuration 1, 1 devices, 13 points\n")
    for file in PROFILES.glob("*.yaml"):
        code, said = invoke("validate", file)
        assert code == 0
        assert said.startswith(f"{file}: profile {file.stem}, ")


@pytest.mark.parametrize("command", ["run", "validate", "status"])
def test_a_wrong_file_is_exit_code_2_with_file_line_field_and_remedy(tmp_path: Path, command: str) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(f"url: http://127.0.0.1:8000\nkey: {KEY}\nstor: store\n")
    assert invoke(command, file) == (2, f"{file}:3: stor: there is no such field; did you mean 'store'?\n")


@pytest.mark.parametrize("command", ["run", "validate", "status"])
def test_a_file_that_is_not_there_says_so(tmp_path: Path, command: str) -> None:
    code, said = invoke(command, tmp_path / "nothing.yaml")
    assert code == 2
    assert "nothing.yaml: cannot be read (No such file or directory); give the path of a readable file" in said


def test_an_error_never_shows_a_key(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(f"url: http://127.0.0.1:8000\nkey: {KEY} and a bit more\nstore: store\n")
    code, said = invoke("validate", file)
    assert code == 2
    assert "thesecret" not in said


async def test_status_says_what_waits_while_the_store_is_in_use(bootstrap: Path, tmp_path: Path) -> None:
    buffer = SqliteBuffer(tmp_path / "store" / store.FILE, 10**9)
    await buffer.open()
    boot = str(uuid.uuid4())
    for seq in (1, 2, 3):
        moment = 1_790_000_000_000 + seq * 1000
        await buffer.append(NewBatch(Name(boot, seq), b"x" * 1_048_576, moment, moment))
    code, said = invoke("status", bootstrap)
    await buffer.close()
    assert code == 0
    assert "backlog  3 batches, 3 MiB of 2 GiB" in said
    assert "oldest   2026-09-21T14:13:21.000+00:00" in said
    assert "last ts  2026-09-21T14:13:23.000+00:00" in said
    assert f"boot     {boot}  3 batches" in said


def test_status_of_an_edge_that_never_ran_says_so(bootstrap: Path) -> None:
    code, said = invoke("status", bootstrap)
    assert code == 1
    assert "has never run on this store" in said


def test_status_of_a_file_that_is_no_store_says_so(bootstrap: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / store.FILE).write_bytes(b"something else" * 100)
    code, said = invoke("status", bootstrap)
    assert code == 1
    assert "cannot be read" in said


def test_a_wrong_log_level_is_named_with_its_remedy(bootstrap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_LOG_LEVEL", "loud")
    code, said = invoke("run", bootstrap)
    assert (code, said) == (2, "EMS_LOG_LEVEL: 'LOUD' is no level; write DEBUG, INFO, WARNING or ERROR\n")
