"""Find a Chromium for the browser tests, or install Debian's where that is allowed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ems_stack.debian import install_package

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(RuntimeError):
    """There is no Chromium and none could be installed; the message says what to do."""


def find(say: Callable[[str], None] = lambda _: None) -> Path:
    """EMS_CHROMIUM, then the PATH, then Playwright's own download, then Debian's package. Raises NoBrowserError."""
    if chosen := os.environ.get("EMS_CHROMIUM"):
        if not os.access(chosen, os.X_OK):
            raise NoBrowserError(f"EMS_CHROMIUM={chosen!r} is not a program; point it at a Chromium or unset it")
        return Path(chosen)
    if found := _on_path() or _of_playwright():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's chromium for the browser tests")
        if install_package("chromium") and (found := _on_path()):
            return found
    raise NoBrowserError(
        "the browser tests need a Chromium and none was found; install one (Debian: apt-get install chromium; macOS: "
        "brew install chromium; anywhere: .venv/bin/playwright install chromium) or set EMS_CHROMIUM to its path"
    )


def _on_path() -> Path | None:
    return next((Path(where) for name in NAMES if (where := shutil.which(name))), None)


def _of_playwright() -> Path | None:
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*/Contents/MacOS/*")
    found = [path for pattern in patterns for path in cache.glob(pattern) if os.access(path, os.X_OK)]
    return max(found, default=None)
