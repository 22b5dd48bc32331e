"""Other servers that take turns with ours: the benchmark's own, over one more lake, or by URI."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.flight as flight

from ducklake_bench.clients import RawFlight, batches_of
from ducklake_bench.data import BATCH_ROWS, InProcess, Source, fill, literal, load
from ducklake_bench.subprocesses import Helper

#: What peers are asked for.
TABLES = ("lineitem", "wide")


class Peer(Protocol):
    version: str

    def stream(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """Closing it early gives up the query."""

    def close(self) -> None: ...


class Pyarrow:
    """A Flight server of pyarrow's C++ library, in Python, in front of DuckDB."""

    version = f"Flight server of pyarrow {pa.__version__}"

    def __init__(self, lake: Path) -> None:
        self._server = Helper.python("peer_server", "pyarrow", str(lake))
        self._client = flight.FlightClient(self._server.answer())

    def stream(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        return batches_of(self._client.do_get(flight.Ticket(sql.encode())))

    def close(self) -> None:
        self._client.close()
        self._server.close()


class Quack:
    """DuckDB's own protocol; its client is a DuckDB in this process."""

    def __init__(self, lake: Path) -> None:
        uri, token = f"quack:127.0.0.1:{_free_port()}", secrets.token_hex()
        self._server = Helper.python("peer_server", "quack", str(lake), uri, token)
        self._server.answer()
        self._client = duckdb.connect()
        for extension in ("httpfs", "quack"):
            load(self._client, extension)
        self._client.execute(f"ATTACH {literal(uri)} AS peer (TOKEN {literal(token)})")
        [(version,)] = self._client.execute(
            "SELECT extension_version FROM duckdb_extensions() WHERE extension_name = 'quack'"
        ).fetchall()
        self.version = f"DuckDB's extension, {version}"

    def stream(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        remote = f"FROM quack_query_by_name('peer', {literal(sql)})"
        with self._client.execute(remote).to_arrow_reader(BATCH_ROWS) as reader:
            yield from reader

    def close(self) -> None:
        self._client.close()
        self._server.close()


class FlightSql(RawFlight):
    """Another Flight SQL server; only its plan of endpoints is taken, not their locations."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.version = f"at {uri}"


#: By name; each is given the directory of a lake that it may only read.
OWN: dict[str, Callable[[Path], Peer]] = {"pyarrow": Pyarrow, "quack": Quack}


def extensions(names: Iterable[str]) -> tuple[str, ...]:
    return ("httpfs", "quack") if "quack" in names else ()


def fill_lake(source: Source, directory: Path) -> None:
    lake = InProcess(directory)
    try:
        fill(source, lake, tables=TABLES)
    finally:
        lake.close()


def lacks(peer: Peer, source: Source, table: str) -> str | None:
    """Why the peer cannot be asked for the table."""
    try:
        batches = list(peer.stream(f"SELECT count(*) FROM {table}"))
        [found] = pa.Table.from_batches(batches).column(0).to_pylist()
    except Exception as e:
        return f"{table} cannot be read: {' '.join(str(e).split())[:200]}"
    rows = source.rows(table)
    return None if found == rows else f"{table} has {found:,} rows instead of {rows:,}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
