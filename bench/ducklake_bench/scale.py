"""bench/scale: the rate of small queries by one, two and four servers of one lake."""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight
import pyarrow as pa

from ducklake_bench.small_calls import SmallCalls

REPLICAS = (1, 2, 4)
CONNECTIONS = 16
BLOCKS = 3
START_TIMEOUT_S = 600.0

_LISTENING = re.compile(r"listening on (grpc://\S+)$")
_REPOSITORY = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        servers = subprocess.Popen(
            [str(_REPOSITORY / "bin" / "try-production"), "--port", "0"],
            env={**os.environ, "REPLICAS": str(max(REPLICAS)), "MEMORY_LIMIT": "300MB"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(servers.wait, timeout=120)
        stack.callback(servers.terminate)
        uris = _listening(servers)
        _make_points(uris[0])
        clients = {number: SmallCalls(*uris[:number]) for number in REPLICAS}
        for client in clients.values():
            stack.callback(client.close)
        for what, title in (
            ("point", "one row of a table with 1,000, never twice in a row"),
            ("direct", "SELECT 1, which each server has in memory"),
        ):
            print(f"\n{title}; {CONNECTIONS} connections, medians of {BLOCKS} runs in turn:")
            _measure(what, clients, options.seconds, servers.pid)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each run, 5 unless given")
    return parser.parse_args()


def _listening(servers: subprocess.Popen[str]) -> list[str]:
    assert servers.stdout is not None
    late = threading.Timer(START_TIMEOUT_S, servers.terminate)
    late.start()
    uris: list[str] = []
    try:
        for line in servers.stdout:
            if found := _LISTENING.search(line.rstrip()):
                uris.append(found.group(1))
                if len(uris) == max(REPLICAS):
                    threading.Thread(target=servers.stdout.read, daemon=True).start()
                    return uris
    finally:
        late.cancel()
    raise SystemExit("the servers do not listen")


def _make_points(uri: str) -> None:
    rows = pa.table({"i": range(1000), "s": [f"row {i}" for i in range(1000)]})
    with flight.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
        cursor.adbc_ingest("points", rows, mode="create")


def _measure(what: str, clients: dict[int, SmallCalls], seconds: float, root: int) -> None:
    rates: dict[int, list[float]] = defaultdict(list)
    busy: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for number in clients:
        clients[number].per_second(what, CONNECTIONS, 2)
    for _ in range(BLOCKS):
        for number, client in clients.items():
            before = _processor_seconds(root)
            rates[number].append(client.per_second(what, CONNECTIONS, seconds))
            for name, value in _processor_seconds(root).items():
                busy[number][name] += value - before.get(name, 0)
    one = statistics.median(rates[REPLICAS[0]])
    for number in clients:
        rate = statistics.median(rates[number])
        time = seconds * BLOCKS
        shares = ", ".join(
            f"{name} {value / time:.2f}"
            for name, value in sorted(busy[number].items(), key=lambda item: -item[1])
            if value / time >= 0.02
        )
        print(f"{number} servers: {rate:6.0f} a second, {rate / one:.2f} of one; processors: {shares}")


def _processor_seconds(root: int) -> dict[str, float]:
    """Of each kind of process: the servers, Postgres, the stand-in for AWS, the clients here."""
    parents: dict[int, int] = {}
    used: dict[int, tuple[str, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
            command = (path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        rest = text[text.rindex(")") + 2 :].split()
        pid = int(path.parent.name)
        parents[pid] = int(rest[1])
        used[pid] = (command, (int(rest[11]) + int(rest[12])) / _TICKS)
    total: dict[str, float] = defaultdict(float)
    for pid, (command, seconds) in used.items():
        if kind := _kind(pid, command, parents, root):
            total[kind] += seconds
    return total


def _kind(pid: int, command: str, parents: dict[int, int], root: int) -> str | None:
    if "SmallCalls" in command:
        return "clients"
    if command.startswith("postgres") or "/bin/postgres" in command:
        return "Postgres"
    ancestor = pid
    while ancestor and ancestor != root:
        ancestor = parents.get(ancestor, 0)
    if not ancestor:
        return None
    return "servers" if " serve " in command or "-XX:AOTCache" in command else "stand-ins"


if __name__ == "__main__":
    sys.exit(main())
