"""A grid is read as it is written, and no cell of it is guessed."""

from __future__ import annotations

import pytest

from testing.matrix.grid import ACTORS, OK, grid

HEAD = "target " + " ".join(ACTORS)


def test_every_cell_has_the_answer_of_its_column() -> None:
    read = grid(f"{HEAD}\nown 401 ok ok ok ok ok 404 401 403 401 401")
    assert read.answers["own"]["developer"] == 404
    assert read.answers["own"]["viewer"] == OK
    assert len(list(read)) == len(ACTORS)


@pytest.mark.parametrize(
    "text",
    [
        "target viewer\nown ok",
        f"{HEAD}\nown 401 ok",
        f"{HEAD}\nown 401 ok ok ok ok ok 404 401 403 401 401 401",
        f"{HEAD}\nown 401 ok ok ok ok ok maybe 401 403 401 401",
    ],
)
def test_a_cell_that_is_missing_too_many_or_unreadable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        grid(text)


def test_an_exception_for_an_actor_that_there_is_not_is_refused() -> None:
    whole = grid(f"{HEAD}\nown 401 ok ok ok ok ok 404 401 403 401 401")
    assert whole.but(own={"viewer": 403}).answers["own"]["viewer"] == 403
    assert whole.answers["own"]["viewer"] == OK
    with pytest.raises(ValueError, match="visitor"):
        whole.but(own={"visitor": 403})


def test_what_is_not_possible_now_changes_only_the_cells_of_those_who_may() -> None:
    met = grid(f"{HEAD}\nown 401 ok ok ok ok ok 404 401 403 401 401").meeting(409).answers["own"]
    assert (met["viewer"], met["developer"], met["token"]) == (409, 404, 403)
