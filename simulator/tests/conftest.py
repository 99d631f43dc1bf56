from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .bench import Bench, running


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A factory whose time stands still."""
    async with running(tmp_path) as started:
        yield started
