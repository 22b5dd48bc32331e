"""Draws the ratios of a run's JSON as bars: python -m ducklake_bench.picture JSON SVG."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

SERVER = "ducklake-flight"
COLOURS = ("#0b6e99", "#e09f3e", "#7a7a7a", "#9e2a2b", "#540b0e")

WIDTH, LABEL_WIDTH, RIGHT = 800, 210, 60
BAR, GAP, TOP = 15, 14, 64
#: A longer bar is cut off there; its figure says how long it would be.
LONGEST = 5.0


def draw(content: dict[str, Any]) -> str:
    """How many times as long as in process, of all that peers took turns in, else of all."""
    in_process = [row for row in content["results"] if row["baseline_is"] == "in process"]
    rows = [row for row in in_process if row["peers"]] or in_process
    names = list(dict.fromkeys([SERVER, *(peer for row in rows for peer in row["peers"])]))
    colours = dict(zip(names, COLOURS, strict=False))
    groups = [(row["workload"].removesuffix(", raw Flight"), _ratios(row)) for row in rows]
    ratios = [ratio for _, bars in groups for ratio in bars.values()]
    scale = (WIDTH - LABEL_WIDTH - RIGHT) / min(LONGEST, max([1.0, *ratios]))
    bottom = TOP + sum(len(bars) * BAR + GAP for _, bars in groups)
    height = bottom + 24
    one = LABEL_WIDTH + scale
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(10, 22, _title(content), size=14),
        *_legend(colours),
        *_bars(groups, colours, scale),
        f'<line x1="{one:.1f}" y1="{TOP - 8}" x2="{one:.1f}" y2="{bottom}" stroke="#222222"'
        ' stroke-dasharray="3 3"/>',
        _text(one, height - 8, "1 = DuckDB in process", anchor="middle"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _title(content: dict[str, Any]) -> str:
    return (
        "Time to read a result, as a multiple of DuckDB in process: the shorter, the better"
        f" (TPC-H scale {content['scale']:g}, {content['machine']['cores']} cores)"
    )


def _ratios(row: dict[str, Any]) -> dict[str, float]:
    base = row["baseline"]["figure"]
    return {
        SERVER: row["ratio"],
        **{name: peer["figure"] / base for name, peer in row["peers"].items()},
    }


def _legend(colours: dict[str, str]) -> Iterator[str]:
    x = float(LABEL_WIDTH)
    for name, colour in colours.items():
        yield f'<rect x="{x:.1f}" y="34" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 17, 44, name)
        x += 40 + 7 * len(name)


def _bars(
    groups: list[tuple[str, dict[str, float]]], colours: dict[str, str], scale: float
) -> Iterator[str]:
    y = TOP
    for workload, bars in groups:
        middle = y + len(bars) * BAR / 2 + 4
        yield _text(LABEL_WIDTH - 8, middle, workload, anchor="end")
        for name, ratio in bars.items():
            width = min(ratio, LONGEST) * scale
            yield (
                f'<rect x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{BAR - 2}"'
                f' fill="{colours.get(name, COLOURS[-1])}"/>'
            )
            if ratio > LONGEST:
                yield _cut(LABEL_WIDTH + width - 14, y)
            yield _text(LABEL_WIDTH + width + 5, y + BAR - 4, f"{ratio:.2f}")
            y += BAR
        y += GAP


def _cut(x: float, y: float) -> str:
    """Across a bar that would be longer."""
    return f'<path d="M{x:.1f} {y + BAR} l5 -{BAR + 2} h4 l-5 {BAR + 2} z" fill="#ffffff"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="#222222">'
        f"{escape(text)}</text>"
    )


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    target.write_text(draw(json.loads(source.read_text("utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
