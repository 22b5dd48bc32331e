"""What a user could run instead, over a lake that is there: prints where it listens."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.flight as flight

from ducklake_bench.data import BATCH_ROWS, InProcess, literal, load


class PyarrowServer(flight.FlightServerBase):
    """The SQL is the ticket; DuckDB's batches go out as they come."""

    def __init__(self, lake: InProcess) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self._lake = lake

    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.FlightDataStream:
        reader = self._lake.session().stream(ticket.ticket.decode(), BATCH_ROWS)
        return flight.RecordBatchStream(reader)


def pyarrow(lake: InProcess) -> None:
    server = PyarrowServer(lake)
    print(f"grpc://127.0.0.1:{server.port}", flush=True)
    sys.stdin.read()
    server.shutdown()


def quack(lake: InProcess, uri: str, token: str) -> None:
    """Sessions are not in the lake, so views bring its tables to where they are."""
    for extension in ("httpfs", "quack"):
        load(lake.connection, extension)
    tables = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'"
    for (table,) in lake.rows(tables):
        lake.connection.execute(f"CREATE VIEW memory.main.{table} AS FROM lake.{table}")
    lake.connection.execute(f"CALL quack_serve({literal(uri)}, token = {literal(token)})")
    print(uri, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    kind, directory, *arguments = sys.argv[1:]
    {"pyarrow": pyarrow, "quack": quack}[kind](InProcess(Path(directory), True), *arguments)
