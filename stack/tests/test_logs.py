"""Logs: cut by size, and followed."""

from __future__ import annotations

from pathlib import Path

from ems_stack.log_view import Follower
from ems_stack.processes import last_words, rotate


def test_a_long_log_is_moved_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        for generation in range(5):
            writer.write(f"generation {generation}\n".encode() * 10)
            assert rotate(log, limit=50)
            writer.write(b"after\n")
    assert log.read_text() == "after\n"
    assert "generation 4" in (tmp_path / "web.log.1").read_text()
    assert (tmp_path / "web.log.1").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.log", "web.log.1", "web.log.2", "web.log.3"]


def test_a_short_log_stays(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("short\n")
    assert rotate(tmp_path / "web.log", limit=50) is False


def test_following_shows_the_end_first_and_then_only_what_is_new(tmp_path: Path) -> None:
    log = tmp_path / "edge-office.log"
    log.write_text("1\n2\n3\n")
    follower = Follower(tmp_path, lines_before=2)
    assert list(follower.poll()) == [("edge-office", "2"), ("edge-office", "3")]
    with log.open("a") as writer:
        writer.write("4\nhalf")
    assert list(follower.poll()) == [("edge-office", "4")]
    with log.open("a") as writer:
        writer.write(" a line\n")
    assert list(follower.poll()) == [("edge-office", "half a line")]


def test_following_survives_rotation(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("long line\n" * 10)
    follower = Follower(tmp_path, lines_before=0)
    assert list(follower.poll()) == []
    rotate(log, limit=10)
    log.write_text("new\n")
    assert list(follower.poll()) == [("web", "new")]


def test_one_service_can_be_followed_alone(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("a\n")
    (tmp_path / "redis.log").write_text("b\n")
    assert list(Follower(tmp_path, "redis").poll()) == [("redis", "b")]


def test_the_last_words_of_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert last_words(tmp_path / "nothing.log") == "(no output)"
