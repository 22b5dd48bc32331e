"""What only the one who starts the server can see: how long that takes, and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ducklake_bench import WrongResult
from ducklake_bench.clients import RawFlight
from ducklake_bench.measure import Samples, interleave
from ducklake_bench.report import Row, Target
from ducklake_bench.server import ServerProcess

SLOW_SQL = """
    SELECT i, i * 1.5::DOUBLE AS d, 'row ' || i AS name, md5(i::VARCHAR) AS digest,
           repeat('x', 60) AS filler
    FROM range({rows}) t(i)"""
SLOW_ROWS = 10_000_000
SLOW_WARM_UP_ROWS = 100_000
SLOW_SECONDS = 20.0
SLOW_PAUSE_S = 0.2
#: Together they take as many batches a second as some five of the one above.
SLOW_READERS, SLOW_READERS_PAUSE_S = 32, 1.0


@dataclass(frozen=True)
class Home:
    """Where the server's lake and its log are. No server runs on it meanwhile."""

    lake: Path
    log: Path

    def server(self) -> ServerProcess:
        return ServerProcess(self.lake, self.log)

    def last_log(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:]


def start(home: Home, starts: int) -> Iterator[Row]:
    """The first start, which creates the lake, is not counted."""

    def case() -> float:
        with home.server() as server:
            return server.start_seconds

    samples = interleave({"start": case}, starts)["start"]
    yield Row("start to listening", "s", samples, targets=(Target(0.40, of="server"),))


def memory(home: Home, rows: int) -> Iterator[Row]:
    """The server's peak over one result, after a fresh start."""
    with home.server() as server, RawFlight(server.uri) as raw:
        idle = server.rss_bytes()
        found = size = 0
        for batch in raw.stream("SELECT * FROM lineitem"):
            found += batch.num_rows
            size += batch.nbytes
        peak = server.peak_rss_bytes()
    if found != rows:
        raise WrongResult(f"{found:,} rows instead of {rows:,}")
    yield Row(
        "peak RSS for lineitem",
        "MB",
        Samples((peak / 1e6,)),
        targets=(Target(600, of="server", from_scale=1),),
        note=f"a result of {size / 1e6:,.0f} MB; {idle / 1e6:,.0f} MB before it",
    )


def slow_reader(home: Home) -> Iterator[Row]:
    """The growth from the first batch on, of a server that streamed a small result before."""
    with home.server() as server, RawFlight(server.uri) as raw:
        for _ in raw.stream(SLOW_SQL.format(rows=SLOW_WARM_UP_ROWS)):
            pass
        stream = raw.stream(SLOW_SQL.format(rows=SLOW_ROWS))
        taken = next(stream).num_rows
        begin = server.rss_bytes()
        deadline = time.perf_counter() + SLOW_SECONDS
        growth = [0]
        while time.perf_counter() < deadline:
            time.sleep(SLOW_PAUSE_S)
            taken += next(stream).num_rows
            growth.append(server.rss_bytes() - begin)
        stream.close()
    yield Row(
        "growth of RSS for a slow reader",
        "MB",
        Samples((max(growth) / 1e6,)),
        targets=(Target(16, of="server"),),
        note=f"{SLOW_SECONDS:.0f} s, {taken:,} of {SLOW_ROWS:,} rows taken,"
        f" from {begin / 1e6:,.0f} MB, {growth[-1] / 1e6:+,.0f} MB at the end",
    )


def slow_readers(home: Home) -> Iterator[Row]:
    """The growth that all of them cause together, of a server that streamed before."""
    with ExitStack() as stack:
        server = stack.enter_context(home.server())
        readers = [stack.enter_context(RawFlight(server.uri)) for _ in range(SLOW_READERS)]
        for _ in readers[0].stream(SLOW_SQL.format(rows=SLOW_WARM_UP_ROWS)):
            pass
        begin = server.rss_bytes()
        deadline = time.perf_counter() + SLOW_SECONDS
        with ThreadPoolExecutor(SLOW_READERS) as pool:
            reading = [pool.submit(_read_slowly, reader, deadline) for reader in readers]
            growth = [0]
            while time.perf_counter() < deadline:
                time.sleep(SLOW_PAUSE_S)
                growth.append(server.rss_bytes() - begin)
            taken = [reader.result() for reader in reading]
    yield Row(
        f"growth of RSS for {SLOW_READERS} slow readers",
        "MB",
        Samples((max(growth) / 1e6,)),
        targets=(Target(256, of="server"),),
        note=f"{SLOW_SECONDS:.0f} s, {sum(taken):,} rows taken, {min(taken):,} by the slowest,"
        f" from {begin / 1e6:,.0f} MB, {growth[-1] / 1e6:+,.0f} MB at the end",
    )


def _read_slowly(raw: RawFlight, deadline: float) -> int:
    """The rows taken."""
    stream = raw.stream(SLOW_SQL.format(rows=SLOW_ROWS))
    taken = 0
    while time.perf_counter() < deadline:
        taken += next(stream).num_rows
        time.sleep(SLOW_READERS_PAUSE_S)
    stream.close()
    return taken
