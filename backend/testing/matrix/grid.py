"""A grid: what each actor is answered about each target. Written as a table of text, read once, checked at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OK = "ok"
"""The operation's own success, as its description says."""

ACTORS = (
    "anonymous",
    "viewer",
    "operator",
    "manager",
    "org_admin",
    "platform",
    "developer",
    "edge_key",
    "token",
    "expired",
    "revoked",
)
"""`token` is an access token with the scope `read`, of an org admin, limited to the own site; `expired` the login of a
platform admin after its time; `revoked` the valid token of an org admin whose account was deactivated."""

TARGETS = ("own", "other", "foreign", "nonexistent")
"""`own` is where everyone of the organization has a role, `other` its other site. A grid may have less or more: see
`scene.py`."""

ALONE = "-"
"""The target of operations that have none."""

Answer = int | str
"""A status code, or OK."""


@dataclass(frozen=True)
class Grid:
    """`answers[target][actor]`."""

    answers: Mapping[str, Mapping[str, Answer]]

    def __iter__(self) -> Iterator[tuple[str, str, Answer]]:
        """(target, actor, answer) of every cell."""
        for target, row in self.answers.items():
            for actor, answer in row.items():
                yield target, actor, answer

    def but(self, **targets: Mapping[str, Answer]) -> Grid:
        """The same, with some cells answered otherwise: `GRID.but(own={"token": 403})`. `alone` stands for "-"."""
        answers = {target: dict(row) for target, row in self.answers.items()}
        for target, cells in targets.items():
            row = answers[ALONE if target == "alone" else target]
            if strange := cells.keys() - row.keys():
                raise ValueError(f"no actor is called {', '.join(strange)}")
            row |= cells
        return Grid(answers)

    def meeting(self, status: int) -> Grid:
        """The same, where those who may do it are answered `status`: what they ask for is not possible now."""
        return Grid({t: {a: status if one == OK else one for a, one in row.items()} for t, row in self.answers.items()})


def grid(text: str) -> Grid:
    """Read a table whose first line names the actors and whose other lines begin with a target.

    Raises ValueError if an actor is missing or a line is too short: a cell is never guessed.
    """
    head, *lines = (line.split() for line in text.strip().splitlines())
    if head != ["target", *ACTORS]:
        raise ValueError(f"the first line names every actor, in this order: target {' '.join(ACTORS)}")
    answers: dict[str, dict[str, Answer]] = {}
    for target, *cells in lines:
        if len(cells) != len(ACTORS):
            raise ValueError(f"{target}: {len(cells)} answers for {len(ACTORS)} actors")
        answers[target] = {actor: OK if cell == OK else int(cell) for actor, cell in zip(ACTORS, cells, strict=True)}
    return Grid(answers)
