"""What comes out: one row per figure, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pyarrow as pa

from ducklake_bench.measure import Samples


@dataclass(frozen=True)
class Target:
    """An upper limit, of the ratio or of the server's own figure.

    `from_scale`: below it fixed costs decide, and the figure says nothing about the target.
    """

    limit: float
    of: str = "ratio"
    from_scale: float = 0.0


@dataclass(frozen=True)
class Row:
    """A figure of the server, and what it is compared with, in the same unit."""

    workload: str
    unit: str
    server: Samples
    baseline: Samples | None = None
    baseline_is: str = "in process"
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.server.median / self.baseline.median if self.baseline else None

    def met(self, scale: float) -> bool | None:
        if self.target is None or scale < self.target.from_scale:
            return None
        value = self.ratio if self.target.of == "ratio" else self.server.median
        return value is not None and value <= self.target.limit


@dataclass
class Report:
    scale: float
    repeat: int
    versions: dict[str, str]
    machine: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        self.rows += rows

    def text(self) -> str:
        lines = [f"TPC-H scale {self.scale:g}, {self.repeat} turns, median [lowest - highest]"]
        lines += [", ".join(f"{k} {v}" for k, v in self.machine.items())]
        lines += [", ".join(f"{k} {v}" for k, v in self.versions.items()), ""]
        lines += _table(
            ("workload", "server", "in process", "ratio", "target", "met?"),
            [self._cells(row) for row in self.rows],
        )
        lines += [f"{row.workload}: {row.note}" for row in self.rows if row.note]
        lines += [f"skipped {name}: {why}" for name, why in self.skipped.items()]
        lines += [f"FAILED {name}: {why}" for name, why in self.failures.items()]
        return "\n".join(lines)

    def _cells(self, row: Row) -> tuple[str, ...]:
        baseline = _spread(row.baseline, row.unit) if row.baseline else "-"
        if row.baseline and row.baseline_is != "in process":
            baseline += f" ({row.baseline_is})"
        return (
            row.workload,
            _spread(row.server, row.unit),
            baseline,
            f"{row.ratio:.2f}" if row.ratio is not None else "-",
            _target(row),
            {True: "yes", False: "NO", None: "-"}[row.met(self.scale)],
        )

    def write_json(self, file: Path) -> None:
        content = {
            "scale": self.scale,
            "repeat": self.repeat,
            "machine": self.machine,
            "versions": self.versions,
            "results": [self._json(row) for row in self.rows],
            "skipped": self.skipped,
            "failures": self.failures,
        }
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def _json(self, row: Row) -> dict[str, object]:
        return {
            "workload": row.workload,
            "unit": row.unit,
            "server": _summary(row.server),
            "baseline": _summary(row.baseline) if row.baseline else None,
            "baseline_is": row.baseline_is if row.baseline else None,
            "ratio": row.ratio,
            "target": {"of": row.target.of, "limit": row.target.limit} if row.target else None,
            "met": row.met(self.scale),
            "note": row.note or None,
        }


def _summary(samples: Samples) -> dict[str, float | int]:
    return {
        "median": samples.median,
        "low": samples.low,
        "high": samples.high,
        "p99": samples.percentile(99),
        "samples": len(samples.values),
    }


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}"


def _spread(samples: Samples, unit: str) -> str:
    if len(samples.values) == 1:
        return f"{_number(samples.median)} {unit}"
    return f"{_number(samples.median)} {unit} [{_number(samples.low)} - {_number(samples.high)}]"


def _target(row: Row) -> str:
    if row.target is None:
        return "-"
    return f"≤ {row.target.limit:g}" + ("" if row.target.of == "ratio" else f" {row.unit}")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    return [line(head), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(line, rows)]


def machine() -> dict[str, str]:
    facts = {
        "cores": str(_cores()),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
    return facts


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions(server_version: str) -> dict[str, str]:
    names = ("duckdb", "pyarrow", "adbc-driver-flightsql", "grpcio")
    found = {name: metadata.version(name) for name in names}
    python = ".".join(map(str, sys.version_info[:3]))
    return {"server": server_version, "python": python, **found, "arrow C++": pa.cpp_version}
