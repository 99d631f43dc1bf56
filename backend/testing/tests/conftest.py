"""The scene that all cells of the matrix share, and figures that are printed though the test passes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from testing.cast import Cast, Figures
from testing.matrix.scene import Scene, make_scene


@pytest.fixture
def scene(cast: Cast) -> Iterator[Scene]:
    """Thousands of refusals are no news; an error of the server still is."""
    logging.disable(logging.WARNING)
    yield make_scene(cast)
    logging.disable(logging.NOTSET)


@pytest.fixture
def figures(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> Figures:
    """`figures(cells=2310, mismatches=0)` prints them, and writes them to the report of `--junit-xml`."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def tell(**counted: int) -> None:
        for name, number in counted.items():
            record_property(name, number)
        if reporter is not None:
            with capsys.disabled():
                reporter.ensure_newline()
                reporter.write_line(
                    ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counted.items())
                )

    return tell
