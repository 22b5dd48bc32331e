"""What a server holds at one time, from /proc and its /metrics."""

from __future__ import annotations

import os
import re
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

_ESTABLISHED, _LISTENS = "01", "0A"
_METRIC = re.compile(r"^([a-z_]+)(\{.*\})? (\S+)$", re.MULTILINE)
_MB = 1e6


class Kind(NamedTuple):
    """One figure, and by how much the last quarter's median may be above the second's."""

    name: str
    metric: str | None
    unit: float
    constant: float
    #: What there may be at the end, when all clients have gone; None for anything.
    rest: float | None = None


KINDS = (
    Kind("RSS, MB", None, _MB, 40),
    Kind("threads", None, 1, 8),
    Kind("file descriptors", None, 1, 20),
    Kind("connections to Postgres", None, 1, 8),
    Kind("spilled files", None, 1, 4, 0),
    Kind("heap in use, MB", "jvm_memory_used_bytes", _MB, 40),
    Kind("engine's memory, MB", "ducklake_flight_engine_memory_bytes", _MB, 40),
    Kind("engine connections", "ducklake_flight_engine_connections", 1, 8, 2),
    Kind("batches, MB", "ducklake_flight_batch_memory_bytes", _MB, 32, 1),
    Kind("clients' connections", "ducklake_flight_connections", 1, 4, 1),
    Kind("sessions", "ducklake_flight_sessions", 1, 8, 2),
    Kind("prepared statements", "ducklake_flight_prepared_statements", 1, 100, 0),
    Kind("transactions", "ducklake_flight_transactions_open", 1, 2, 0),
    Kind("results that wait", "ducklake_flight_results_waiting", 1, 40, 0),
    Kind("streams", "ducklake_flight_streams_open", 1, 4, 0),
)

Sample = dict[str, float]


class Watch:
    """
    Of a server on this machine, by its ports.

    `elsewhere` are ports that it has connections to which are not Postgres's.
    """

    def __init__(self, flight_port: int, http_port: int, spill: Path, elsewhere: set[int]) -> None:
        self._flight, self._http, self._spill = flight_port, http_port, spill
        self._elsewhere = elsewhere
        self._pid = _listener(flight_port)

    def sample(self) -> Sample:
        descriptors = _descriptors(self._pid)
        seen: Sample = {
            "RSS, MB": _status(self._pid, "VmRSS") * 1024 / _MB,
            "threads": _status(self._pid, "Threads"),
            "file descriptors": len(descriptors),
            "connections to Postgres": self._to_postgres(set(descriptors)),
            "spilled files": sum(len(files) for _, _, files in os.walk(self._spill)),
        }
        url = f"http://127.0.0.1:{self._http}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            metrics: dict[str, float] = defaultdict(float)
            for name, labels, value in _METRIC.findall(answer.read().decode()):
                # Of the virtual machine's memory only the heap.
                if 'area="nonheap"' not in labels:
                    metrics[name] += float(value)
        for kind in KINDS:
            if kind.metric is not None:
                seen[kind.name] = metrics[kind.metric] / kind.unit
        return seen

    def environment(self) -> dict[str, str]:
        text = Path(f"/proc/{self._pid}/environ").read_text("utf-8", "replace")
        return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)

    def _to_postgres(self, descriptors: set[str]) -> int:
        own = {self._flight, self._http}
        return sum(
            1
            for local, remote, state, inode in _connections()
            if state == _ESTABLISHED
            and f"socket:[{inode}]" in descriptors
            and local not in own
            and remote not in self._elsewhere
        )


def _listener(port: int) -> int:
    """The process that listens on a port."""
    inodes = {i for local, _, state, i in _connections() if local == port and state == _LISTENS}
    for directory in Path("/proc").glob("[0-9]*"):
        links = _descriptors(int(directory.name))
        if any(f"socket:[{inode}]" in links for inode in inodes):
            return int(directory.name)
    raise LookupError(f"nobody listens on port {port}")


def _descriptors(pid: int) -> list[str]:
    found = []
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.append(os.readlink(link))
            except OSError:
                continue  # closed meanwhile
    except OSError:
        pass  # another user's, or ended
    return found


def _connections() -> Iterator[tuple[int, int, str, str]]:
    """Local port, remote port, state, inode."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, remote = (int(fields[i].rpartition(":")[2], 16) for i in (1, 2))
            yield local, remote, fields[3], fields[9]


def _status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    found = re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found.group(1))


def quarters(samples: list[Sample], name: str) -> list[float]:
    """The median of each quarter of the time; not a number is left out."""
    size = len(samples) / 4
    parts = [samples[round(i * size) : round((i + 1) * size)] for i in range(4)]
    return [median([s[name] for s in part if s[name] == s[name]] or [0.0]) for part in parts]


def grows(kind: Kind, medians: list[float]) -> bool:
    return medians[3] > 1.1 * medians[1] + kind.constant
