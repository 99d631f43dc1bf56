"""Where the rooms of this clone are."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
WEB = REPOSITORY / "web"
BACKEND = REPOSITORY / "backend"
