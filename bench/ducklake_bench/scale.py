"""bench/scale: the rate of small queries by one, two and four servers of one lake."""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight
import pyarrow as pa

from ducklake_bench.small_calls import SmallCalls

REPLICAS = (1, 2, 4)
CONNECTIONS = 16
BLOCKS = 3
START_TIMEOUT_S = 600.0
#: Of each kind of statement, on all servers: a virtual machine compiles what it runs often.
WARM_UP_S = 40.0

_LISTENING = re.compile(r"listening on (grpc://\S+)$")
_REPOSITORY = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        servers = subprocess.Popen(
            [str(_REPOSITORY / "bin" / "try-production"), "--port", "0"],
            env={
                **os.environ,
                "REPLICAS": str(max(REPLICAS)),
                "MEMORY_LIMIT": "300MB",
                "HTTP_PORT": "0",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
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
            _measure(what, clients, options.seconds, servers.pid, options.processors)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/scale", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each run, 5 unless given")
    parser.add_argument(
        "--processors",
        type=float,
        help="what each server may use of them, such as 0.25, so that one does not take the whole"
        " machine: on Linux, as root",
    )
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


def _measure(
    what: str, clients: dict[int, SmallCalls], seconds: float, root: int, share: float | None
) -> None:
    rates: dict[int, list[float]] = defaultdict(list)
    busy: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    clients[max(REPLICAS)].per_second(what, CONNECTIONS, WARM_UP_S)
    with ExitStack() as stack:
        if share is not None:
            for pid, kind in _kinds(root).items():
                if kind == "servers":
                    stack.enter_context(_limited(pid, share))
        for client in clients.values():
            client.per_second(what, CONNECTIONS, 2)
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
    total: dict[str, float] = defaultdict(float)
    for pid, kind in _kinds(root).items():
        try:
            fields = _stat(pid)
        except OSError:
            continue
        total[kind] += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def _kinds(root: int) -> dict[int, str]:
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        pid = int(path.name)
        try:
            parents[pid] = int(_stat(pid)[1])
            commands[pid] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    kinds = {pid: _kind(pid, command, parents, root) for pid, command in commands.items()}
    return {pid: kind for pid, kind in kinds.items() if kind}


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


@contextmanager
def _limited(pid: int, processors: float) -> Iterator[None]:
    """A process in a control group of its own, of version 2 or 1."""
    period_us = 20_000
    quota_us = round(processors * period_us)
    root = Path("/sys/fs/cgroup")
    old = not (root / "cgroup.controllers").exists()
    group = root / ("cpu" if old else "") / f"ducklake-bench-{pid}"
    group.mkdir()
    try:
        if old:
            (group / "cpu.cfs_period_us").write_text(str(period_us))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        else:
            (group / "cpu.max").write_text(f"{quota_us} {period_us}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()


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
