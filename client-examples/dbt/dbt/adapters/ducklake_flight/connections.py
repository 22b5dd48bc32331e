"""Connections of the ADBC Flight SQL driver, and dbt's transactions on them."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from typing import Any

import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import agate
from dbt_common.clients.agate_helper import empty_table
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from dbt.adapters.contracts.connection import AdapterResponse, Connection, Credentials
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.sql import SQLConnectionManager

logger = AdapterLogger("ducklake_flight")


@dataclasses.dataclass
class DucklakeFlightCredentials(Credentials):
    """A target of profiles.yml."""

    database: str = "lake"
    schema: str = "main"
    url: str = "grpc://127.0.0.1:31337"
    user: str | None = None
    password: str | None = None
    # The PEM file of the authority of the server's certificate, where the system does not know it.
    tls_ca: str | None = None
    # Options of the driver, such as adbc.flight.sql.authorization_header for the token of an identity provider.
    options: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def type(self) -> str:
        return "ducklake_flight"

    @property
    def unique_field(self) -> str:
        return self.url

    def _connection_keys(self) -> tuple[str, ...]:
        return ("url", "user", "database", "schema", "tls_ca")

    def driver_options(self) -> dict[str, str]:
        # Each connection has a session of its own, and with it its own temporary tables.
        options = {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}
        if self.user:
            options |= {"username": self.user, "password": self.password or ""}
        if self.tls_ca:
            authority = pathlib.Path(self.tls_ca).read_text(encoding="ascii")
            options["adbc.flight.sql.client_option.tls_root_certs"] = authority
        return options | self.options


class DucklakeFlightConnectionManager(SQLConnectionManager):
    TYPE = "ducklake_flight"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        credentials = connection.credentials

        def connect():
            return adbc_driver_flightsql.dbapi.connect(
                credentials.url, db_kwargs=credentials.driver_options(), autocommit=True
            )

        return cls.retry_connection(
            connection,
            connect=connect,
            logger=logger,
            retryable_exceptions=[adbc_driver_manager.OperationalError],
            retry_limit=1,
        )

    @contextlib.contextmanager
    def exception_handler(self, sql: str):
        try:
            yield
        except adbc_driver_manager.Error as e:
            self.rollback_if_open()
            raise DbtDatabaseError(str(e)) from e
        except DbtRuntimeError:
            self.rollback_if_open()
            raise

    def cancel(self, connection: Connection) -> None:
        connection.handle.adbc_cancel()

    # dbt begins a transaction before a model, and commits what makes it and puts it in the place of the old
    # one. It is one of the session, where temporary tables are too: transactions that the driver begins
    # (autocommit off) have other temporary tables than the statements before and after them.

    def add_begin_query(self) -> None:
        self._run("BEGIN")

    def add_commit_query(self) -> None:
        self._run("COMMIT")

    def _run(self, statement: str) -> None:
        _, cursor = self.add_query(statement, auto_begin=False)
        cursor.close()

    @classmethod
    def _rollback_handle(cls, connection: Connection) -> None:
        with connection.handle.cursor() as cursor:
            cursor.execute("ROLLBACK")

    def execute(
        self, sql: str, auto_begin: bool = False, fetch: bool = False, limit: int | None = None
    ) -> tuple[AdapterResponse, agate.Table]:
        _, cursor = self.add_query(self._add_query_comment(sql), auto_begin)
        # An open result holds a connection to the catalog, at the server.
        with cursor:
            if fetch:
                return self.get_response(cursor), self.get_result_from_cursor(cursor, limit)
            counted = [column[0] for column in cursor.description or ()] == ["Count"]
            row = cursor.fetchone() if counted else None
            if row is None or not row[0]:
                return self.get_response(cursor), empty_table()
            return AdapterResponse(f"OK {row[0]}", rows_affected=row[0]), empty_table()

    @classmethod
    def get_response(cls, cursor: Any) -> AdapterResponse:
        return AdapterResponse("OK")

    @classmethod
    def data_type_code_to_name(cls, type_code: Any) -> str:
        """The name of a type of Arrow, by which contracts compare columns."""
        return str(type_code)
