"""Plots of an experiment's ledger as SVG, drawn by hand: panels one above the other, over seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, LEFT, RIGHT, TOP = 860, 56, 20, 46
GAP, AXIS = 34, 34
_STYLE = """
  text { font: 12px system-ui, 'Segoe UI', sans-serif; fill: #333b45 }
  .title { font-size: 15px; font-weight: 600 } .name { font-weight: 600 } .faint { fill: #6a737d }
  .grid { stroke: #e4e7eb } .axis { stroke: #b6bdc6 } .limit { stroke: #c8342b; stroke-dasharray: 6 4 }
  .limit-word { fill: #c8342b } .note { stroke: #b6bdc6; stroke-dasharray: 2 3 }
  polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round }
"""


@dataclass(frozen=True)
class Line:
    name: str
    color: str
    points: Sequence[tuple[float, float]]
    """(second, value)."""


@dataclass(frozen=True)
class Panel:
    """`range` of the values; `limit` a value and its word, `notes` instants and theirs."""

    name: str
    lines: Sequence[Line]
    range: tuple[float, float]
    limit: tuple[float, str] | None = None
    notes: Sequence[tuple[float, str]] = field(default_factory=list)

    @property
    def height(self) -> int:
        return 250 if len(self.lines) > 1 else 130


def draw(title: str, panels: Sequence[Panel], seconds: float) -> str:
    """The whole picture. `seconds`: how long the time axis is."""
    height = TOP + sum(panel.height + GAP for panel in panels) + AXIS
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    top = TOP + GAP / 2
    for panel in panels:
        parts += _panel(panel, top, seconds)
        top += panel.height + GAP
    step = _round_step(seconds, 8)
    for second in range(0, int(seconds) + 1, step):
        x = _x(second, seconds)
        parts.append(f'<text x="{x:.1f}" y="{top - GAP + 18:.1f}" text-anchor="middle">{second}</text>')
    parts.append(f'<text class="faint" x="{WIDTH - RIGHT}" y="{top - GAP + 36:.1f}" text-anchor="end">seconds</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: float, seconds: float) -> list[str]:
    low, high = panel.range
    bottom = top + panel.height

    def y(value: float) -> float:
        return bottom - (min(max(value, low), high) - low) / (high - low) * panel.height

    parts = [f'<text class="name" x="{LEFT}" y="{top - 8:.1f}">{escape(panel.name)}</text>']
    for mark in range(int(low), int(high) + 1, _round_step(high - low, panel.height // 30)):
        kind = "axis" if mark == low else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark}</text>')
    for at, word in panel.notes:
        x = _x(at, seconds)
        parts.append(f'<line class="note" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
        parts.append(f'<text class="faint" x="{x + 4:.1f}" y="{bottom - 6:.1f}">{escape(word)}</text>')
    for line in panel.lines:
        points = " ".join(f"{_x(at, seconds):.1f},{y(value):.1f}" for at, value in line.points)
        parts.append(f'<polyline stroke="{line.color}" points="{points}"/>')
    if panel.limit is not None:
        value, word = panel.limit
        parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="limit-word" x="{LEFT + 6}" y="{y(value) - 6:.1f}">{escape(word)}</text>')
    if len(panel.lines) > 1:
        parts += _legend(panel.lines, top - 8)
    return parts


def _legend(lines: Sequence[Line], y: float) -> list[str]:
    parts = []
    x = WIDTH - RIGHT
    for line in reversed(lines):
        x -= 7 * len(line.name) + 30
        parts.append(f'<line stroke="{line.color}" stroke-width="3" x1="{x}" x2="{x + 18}" y1="{y - 4}" y2="{y - 4}"/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{escape(line.name)}</text>')
    return parts


def _x(second: float, seconds: float) -> float:
    return LEFT + min(max(second / seconds, 0), 1) * (WIDTH - LEFT - RIGHT)


def _round_step(span: float, most: int) -> int:
    """1, 2, 5, 10, 20, 30, 50, ...: so that there are at most `most` of them."""
    return next(
        (
            step
            for power in (1, 10, 100, 1000)
            for step in (power, 2 * power, 3 * power, 5 * power)
            if span / step <= most
        ),
        10_000,
    )
