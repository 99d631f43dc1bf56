"""The web is built when its sources changed, and only then."""

from __future__ import annotations

from pathlib import Path

from ems_stack.web_build import fingerprint


def test_the_fingerprint_changes_with_sources_and_not_with_what_is_generated(tmp_path: Path) -> None:
    (tmp_path / "src" / "app").mkdir(parents=True)
    (tmp_path / "src" / "app" / "page.tsx").write_text("one")
    first = fingerprint(tmp_path)
    (tmp_path / ".next").mkdir()
    (tmp_path / ".next" / "build.js").write_text("built")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "index.js").write_text("installed")
    (tmp_path / "next-env.d.ts").write_text("written by next")
    (tmp_path / "tsconfig.tsbuildinfo").write_text("written by tsc")
    assert fingerprint(tmp_path) == first
    (tmp_path / "src" / "app" / "page.tsx").write_text("two")
    second = fingerprint(tmp_path)
    assert second != first
    (tmp_path / "src" / "app" / "page.tsx").rename(tmp_path / "src" / "app" / "other.tsx")
    assert fingerprint(tmp_path) not in {first, second}
