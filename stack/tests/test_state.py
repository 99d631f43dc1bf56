"""The state directory and the secrets in it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ems_stack.options import StackOptions
from ems_stack.state import State, default_state, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_only_we_can_read_them(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.prepare()
    first = state.secrets()
    assert state.secrets() == first
    assert mode(state.root / "secrets.json") == 0o600
    assert State(tmp_path / "other").secrets() != first


def test_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    secrets = State(tmp_path).secrets()
    assert secrets.django not in repr(secrets)


def test_every_secret_is_long_enough(tmp_path: Path) -> None:
    secrets = State(tmp_path).secrets()
    assert len(secrets.django) >= 50
    assert all(len(password) >= 32 for password in (secrets.postgres, *secrets.redis.values()))
    assert len({secrets.postgres, *secrets.redis.values()}) == 5


def test_logs_and_key_files_lie_in_private_directories(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.prepare()
    assert mode(state.logs) == 0o700
    assert mode(state.edges) == 0o700


def test_a_private_file_is_private_from_its_first_moment_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "edges" / "factory.key"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_sockets_move_when_the_clone_lies_deep(tmp_path: Path) -> None:
    deep = State(tmp_path / ("x" * 80))
    assert len(str(deep.sockets)) < 80
    assert deep.sockets != State(tmp_path / ("y" * 80)).sockets


def test_the_state_directory_can_be_chosen(tmp_path: Path) -> None:
    assert default_state({"EMS_STATE_DIR": str(tmp_path)}).root == tmp_path
    assert default_state({}).root.name == ".ems"


def test_reset_leaves_nothing(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.prepare()
    state.secrets()
    state.remove()
    assert not state.root.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMS_DEMO", "yes"),
        ("EMS_DEMO_DAYS", "-3"),
        ("EMS_POLL_INTERVAL", "0"),
        ("EMS_SERVICES", "backend,webb"),
        ("EMS_LOG_LEVEL", "loud"),
        ("EMS_DATABASE_URL", "db.example:5432"),
        ("EMS_HISTORY_DATABASE_URL", "http://db.example"),
        ("EMS_REDIS_URL", "user:hunter2@redis.example"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        StackOptions.from_environment({name: value})
    assert "hunter2" not in str(caught.value)


def test_without_the_demo_there_is_no_simulator_no_edge_and_no_history() -> None:
    options = StackOptions.from_environment({"EMS_DEMO": "0"})
    assert not options.runs("simulator")
    assert not options.runs("edges")
    assert options.runs("web")
    assert options.history_days == 0
