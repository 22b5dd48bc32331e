"""What statements are sent to: a server through stock drivers, or DuckDB in this process."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import adbc_driver_flightsql.dbapi as flight
import adbc_driver_manager
import duckdb
import pyarrow as pa

_ADBC = re.compile(
    r"[A-Z_]+: (?:\[FlightSQL\] )?(.*?)(?: \((\w+); \w+\))?(?:\. Vendor code: -?\d+)?", re.DOTALL
)

#: What clients may set of their sessions, and DuckDB itself when it makes several statements of one.
_OWN_SETTINGS = (
    "current_transaction_invalidation_policy",
    "explain_output",
    "ieee_floating_point_ops",
    "integer_division",
    "order_by_non_integer_literal",
    "pivot_filter_threshold",
    "pivot_limit",
    "preserve_identifier_case",
    "scalar_subquery_error_on_multiple_rows",
)


class SqlError(Exception):
    """A statement's error: DuckDB's text, and the status that it came with (empty in process)."""

    def __init__(self, text: str, status: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class Session(Protocol):
    def execute(self, sql: str) -> pa.Table: ...

    def close(self) -> None: ...


class Sessions:
    """The connections of one file by their names."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._open: dict[str, Session] = {}

    def execute(self, name: str, sql: str) -> pa.Table:
        if name not in self._open:
            self._open[name] = self._connect()
        return self._open[name].execute(sql)

    def reconnect(self, name: str) -> None:
        if name in self._open:
            self._open.pop(name).close()

    def close(self) -> None:
        for name in list(self._open):
            self.reconnect(name)


class FlightSession:
    """An ADBC connection."""

    def __init__(self, uri: str) -> None:
        self._connection = flight.connect(uri, autocommit=True)

    def execute(self, sql: str) -> pa.Table:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetch_arrow_table()
        except adbc_driver_manager.Error as e:
            found = _ADBC.fullmatch(str(e).strip())
            if found is None:
                raise SqlError(str(e)) from e
            raise SqlError(found[1], found[2] or "") from e
        except (pa.ArrowException, UnicodeError) as e:
            raise SqlError(f"{type(e).__name__}: {e}", "client") from e

    def close(self) -> None:
        try:
            self._connection.close()
        except adbc_driver_manager.Error:
            pass  # the server is gone


class InProcess:
    """DuckDB in this process over a lake in a directory, closed to the outside as the server's."""

    def __init__(self, lake: Path, extension: Path) -> None:
        (lake / "data").mkdir(parents=True, exist_ok=True)
        self._root = duckdb.connect(config={"allow_unsigned_extensions": True})
        allowed = ", ".join(f"'{name}'" for name in _OWN_SETTINGS)
        for sql in (
            "SET GLOBAL TimeZone='UTC'",
            f"LOAD '{extension}'",
            f"ATTACH 'ducklake:{lake}/catalog.ducklake' AS lake"
            f" (DATA_PATH '{lake}/data/', OVERRIDE_DATA_PATH true)",
            f"SET GLOBAL allowed_directories=['{lake}/data/']",
            "SET GLOBAL enable_external_access=false",
            f"SET GLOBAL allowed_configs=[{allowed}]",
            "SET GLOBAL lock_configuration=true",
        ):
            self._root.execute(sql)

    def connect(self) -> Session:
        return _InProcessSession(self._root.cursor())

    def close(self) -> None:
        self._root.close()


class _InProcessSession:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._connection.execute("USE lake")

    def execute(self, sql: str) -> pa.Table:
        try:
            self._connection.execute(sql)
            if self._connection.description is None:
                return pa.table({})
            return self._connection.to_arrow_table()
        except (duckdb.Error, pa.ArrowException, UnicodeError, RuntimeError) as e:
            raise SqlError(str(e)) from e

    def close(self) -> None:
        self._connection.close()


def reads_data(file: Path) -> bool:
    return re.search(rb"['\"](\./)?data/|DATA_DIR|:data/", file.read_bytes()) is not None


def offer(data: Path, lake: Path) -> None:
    """Puts a tests' `data` directory where exported files of the lake are: others are closed to SQL."""
    target = lake / "data" / "exports" / "offered"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(data, target, copy_function=os.link)
        except (OSError, shutil.Error):
            shutil.copytree(data, target, dirs_exist_ok=True)
