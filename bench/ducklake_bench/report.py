"""What comes out: one row per figure, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa

from ducklake_bench.measure import Samples


@dataclass(frozen=True)
class Target:
    """An upper limit: of the ratio, of the ratio to a peer, or of the server's own figure.

    `from_scale`: below it fixed costs decide, and the figure says nothing about the target.
    """

    limit: float
    of: str = "ratio"
    from_scale: float = 0.0

    def text(self, unit: str) -> str:
        of = {"ratio": "", "server": f" {unit}"}.get(self.of, f" of {self.of}")
        return f"≤ {self.limit:g}{of}"


@dataclass(frozen=True)
class Row:
    """A figure of the server, and what it is compared with, in the same unit."""

    workload: str
    unit: str
    server: Samples
    baseline: Samples | None = None
    baseline_is: str = "in process"
    targets: tuple[Target, ...] = ()
    note: str = ""
    peers: Mapping[str, Samples] = field(default_factory=dict)
    #: What stands for the samples: the median, or another percentile.
    percentile: float | None = None

    def figure(self, samples: Samples) -> float:
        return samples.median if self.percentile is None else samples.percentile(self.percentile)

    def ratio_to(self, other: Samples | None) -> float | None:
        return self.figure(self.server) / self.figure(other) if other else None

    @property
    def ratio(self) -> float | None:
        return self.ratio_to(self.baseline)

    def met(self, target: Target, scale: float) -> bool | None:
        if scale < target.from_scale:
            return None
        if target.of == "server":
            return self.figure(self.server) <= target.limit
        ratio = self.ratio if target.of == "ratio" else self.ratio_to(self.peers.get(target.of))
        return None if ratio is None else ratio <= target.limit


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
        return "\n".join([*self._head(), "", *self._figures(), *self._remarks()])

    def markdown(self, command: str) -> str:
        """For a file that is kept."""
        head = [f"- {line}" for line in self._head()]
        remarks = [f"- {line}" for line in self._remarks()]
        made = ["# Results", "", "Made by", "", "```", command, "```", "", *head, ""]
        return "\n".join([*made, *self._figures(), "", *remarks]) + "\n"

    def _head(self) -> list[str]:
        return [
            f"TPC-H scale {self.scale:g}, {self.repeat} turns, median [lowest - highest]",
            ", ".join(f"{k} {v}" for k, v in self.machine.items()),
            ", ".join(f"{k} {v}" for k, v in self.versions.items()),
        ]

    def _figures(self) -> list[str]:
        peers = self._peers()
        return _table(
            (
                "workload",
                "server",
                "in process",
                "ratio",
                *(f"ratio to {peer}" for peer in peers),
                "target",
                "met?",
            ),
            [self._cells(row, peers) for row in self.rows],
        )

    def _peers(self) -> list[str]:
        return list(dict.fromkeys(peer for row in self.rows for peer in row.peers))

    def _remarks(self) -> list[str]:
        return [
            *(f"{row.workload}: {row.note}" for row in self.rows if row.note),
            *(
                f"{row.workload}: {peer} {_spread(row, samples)}"
                for row in self.rows
                for peer, samples in row.peers.items()
            ),
            *(f"skipped {name}: {why}" for name, why in self.skipped.items()),
            *(f"FAILED {name}: {why}" for name, why in self.failures.items()),
        ]

    def _cells(self, row: Row, peers: list[str]) -> tuple[str, ...]:
        baseline = _spread(row, row.baseline) if row.baseline else "-"
        if row.baseline and row.baseline_is != "in process":
            baseline += f" ({row.baseline_is})"
        met = [_MET[row.met(target, self.scale)] for target in row.targets]
        return (
            row.workload,
            _spread(row, row.server),
            baseline,
            _ratio(row.ratio),
            *(_ratio(row.ratio_to(row.peers.get(peer))) for peer in peers),
            ", ".join(target.text(row.unit) for target in row.targets) or "-",
            ", ".join(met) or "-",
        )

    def content(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "scale": self.scale,
            "repeat": self.repeat,
            "machine": self.machine,
            "versions": self.versions,
            "results": [self._json(row) for row in self.rows],
            "skipped": self.skipped,
            "failures": self.failures,
        }

    def write_json(self, file: Path) -> None:
        text = json.dumps(self.content(), indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")

    def _json(self, row: Row) -> dict[str, object]:
        return {
            "workload": row.workload,
            "unit": row.unit,
            "server": _summary(row, row.server),
            "baseline": _summary(row, row.baseline) if row.baseline else None,
            "baseline_is": row.baseline_is if row.baseline else None,
            "ratio": row.ratio,
            "peers": {
                peer: {**_summary(row, samples), "ratio": row.ratio_to(samples)}
                for peer, samples in row.peers.items()
            },
            "targets": [
                {"of": target.of, "limit": target.limit, "met": row.met(target, self.scale)}
                for target in row.targets
            ],
            "note": row.note or None,
        }


_MET = {True: "yes", False: "NO", None: "-"}


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _summary(row: Row, samples: Samples) -> dict[str, float | int]:
    return {
        "figure": row.figure(samples),
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


def _spread(row: Row, samples: Samples) -> str:
    figure = f"{_number(row.figure(samples))} {row.unit}"
    if len(samples.values) == 1:
        return figure
    return f"{figure} [{_number(samples.low)} - {_number(samples.high)}]"


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
