"""TPC-H, and two lakes that hold the same rows in the same format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from copy import copy
from pathlib import Path

import adbc_driver_flightsql.dbapi as flightsql
import duckdb
import pyarrow as pa

from ducklake_bench import BenchFailure, WrongResult, server

TPCH = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
TABLES = (*TPCH, "wide", "points")
POINTS = 1_000

#: Rows in a batch that goes into a lake; both lakes are filled from the same batches.
LOAD_BATCH_ROWS = 61_440

#: Rows in a batch of in-process results: 3.5 MB of lineitem, which is what the server aims at too.
BATCH_ROWS = 20_480

_CACHE = Path(__file__).resolve().parents[1] / ".data"

_WIDE = """
    CREATE TABLE wide AS
    SELECT o_orderpriority, o_clerk, o_comment,
           c_name, c_address, c_phone, c_mktsegment, c_comment
    FROM orders JOIN customer ON o_custkey = c_custkey
    ORDER BY o_orderkey"""
_POINTS = f"""
    CREATE TABLE points AS
    SELECT i AS id, 'name ' || i AS name, (i * 1.25)::DECIMAL(12, 2) AS amount
    FROM range({POINTS}) t(i)"""


def literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _extension(name: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    with duckdb.connect() as connection:
        platform = connection.execute("PRAGMA platform").fetchone()[0]
    version = f"v{duckdb.__version__}"
    home = Path(cache) / "ducklake-flight" / "extensions"
    return home / version / platform / f"{name}.duckdb_extension"


def install_extensions(more: Iterable[str] = ()) -> None:
    """With the server's own command, which puts them where both engines load them from."""
    names = [name for name in ("tpch", "ducklake", *more) if not _extension(name).exists()]
    if names:
        server.run_once("extensions", "install", *names)
    for name in names:
        if not _extension(name).exists():
            raise BenchFailure(
                f"no extension {name} for DuckDB {duckdb.__version__}: has the server another?"
            )


def load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    connection.execute(f"LOAD {literal(_extension(extension))}")


class Source:
    """A DuckDB file with the rows, made once for a scale and kept."""

    def __init__(self, scale: float) -> None:
        _CACHE.mkdir(exist_ok=True)
        file = _CACHE / f"tpch-{scale:g}.duckdb"
        if not file.exists():
            self._make(file, scale)
        self._connection = duckdb.connect(str(file), read_only=True)

    @staticmethod
    def _make(file: Path, scale: float) -> None:
        unfinished = file.with_suffix(f".{os.getpid()}.tmp")
        try:
            with duckdb.connect(str(unfinished)) as connection:
                load(connection, "tpch")
                connection.execute(f"CALL dbgen(sf = {scale:g})")
                connection.execute(_WIDE)
                connection.execute(_POINTS)
            unfinished.rename(file)
        finally:
            unfinished.unlink(missing_ok=True)

    def rows(self, table: str) -> int:
        return self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def reader(self, table: str) -> pa.RecordBatchReader:
        return self._connection.execute(f"FROM {table}").to_arrow_reader(LOAD_BATCH_ROWS)

    def tpch_queries(self) -> dict[int, str]:
        with duckdb.connect() as connection:
            load(connection, "tpch")
            return dict(connection.execute("SELECT query_nr, query FROM tpch_queries()").fetchall())

    def close(self) -> None:
        self._connection.close()


class InProcess:
    """DuckDB in this process over a local DuckLake: what the server is measured against."""

    def __init__(self, directory: Path, read_only: bool = False) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        catalog = literal(f"ducklake:{directory / 'catalog.ducklake'}")
        options = f"DATA_PATH {literal(directory / 'data')}" + (", READ_ONLY" if read_only else "")
        self.connection = duckdb.connect()
        load(self.connection, "ducklake")
        self.connection.execute(f"ATTACH {catalog} AS lake ({options})")
        self.connection.execute("USE lake")

    def session(self) -> InProcess:
        """One more connection to the same DuckDB."""
        other = copy(self)
        other.connection = self.connection.cursor()
        other.connection.execute("USE lake")
        return other

    def stream(self, sql: str, batch_rows: int) -> pa.RecordBatchReader:
        return self.connection.execute(sql).to_arrow_reader(batch_rows)

    def table(self, sql: str) -> pa.Table:
        return self.connection.execute(sql).to_arrow_table()

    def rows(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()

    def create(self, table: str, reader: pa.RecordBatchReader) -> None:
        self.connection.register("arriving", reader)
        try:
            self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM arriving")
        finally:
            self.connection.unregister("arriving")

    def drop(self, table: str) -> None:
        self.connection.execute(f"DROP TABLE {table}")

    def close(self) -> None:
        self.connection.close()


class Adbc:
    """The server as an ADBC user sees it: one connection, in autocommit."""

    def __init__(self, uri: str) -> None:
        self.connection = flightsql.connect(uri, autocommit=True)

    def table(self, sql: str) -> pa.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def rows(self, sql: str) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def create(self, table: str, reader: pa.RecordBatchReader) -> None:
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(table, reader, mode="create")

    def drop(self, table: str) -> None:
        # Fetching makes sure that it has run: a cursor that is closed first may cancel it.
        self.rows(f"DROP TABLE {table}")

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Adbc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fill(
    source: Source,
    lake: InProcess | Adbc,
    created: Callable[[str], None] = lambda _: None,
    tables: Iterable[str] = TABLES,
) -> None:
    """Creates the tables. An existing table of such a name is an error."""
    for table in tables:
        lake.create(table, source.reader(table))
        created(table)
        expect_rows(lake, table, source.rows(table))


def expect_rows(lake: InProcess | Adbc, table: str, rows: int) -> None:
    found = lake.rows(f"SELECT count(*) FROM {table}")[0][0]
    if found != rows:
        raise WrongResult(f"{table} has {found:,} rows instead of {rows:,}")
