"""Runs one file and keeps what each of its statements gave; it goes on after what was not expected."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ducklake_logic.engines import Sessions, SqlError
from ducklake_logic.names import Names, NotForServers
from ducklake_logic.script import Command, Control, Loop, MalformedScript, Query, Statement
from ducklake_logic.values import Rows, Values, digest_of, matches_error

MAIN = ""
#: What a server answers to a statement that has no rows, which is the number of rows it changed.
COUNT = "Count int64"
#: What `require` finds. Extensions that a server does not have, and does not let clients load, are not.
PRESENT = frozenset(
    "ducklake parquet json icu core_functions notwindows notmingw notmusl longdouble 64bit"
    " noforcestorage no_force_storage nothreadsan strinline skip_reload no_alternative_verify"
    " no_latest_storage no_vector_verification no_extension_autoloading disk_space".split()
)
_VECTOR_SIZE = 2048
_LONGEST_SLEEP_S = 2.0


class _End(Exception):
    """The rest of the file is not run. `reason` is empty where the file itself says so."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason


@dataclass(frozen=True)
class Outcome:
    """What one statement gave. `failure` is empty where the file expects just that."""

    ordinal: int
    line: int
    sql: str
    error: str | None
    status: str
    schema: str
    digest: str
    digest_sorted: str
    failure: str = ""
    detail: str = ""
    left_out: bool = False


@dataclass
class Replayed:
    outcomes: list[Outcome] = field(default_factory=list)
    #: Why the file was not run, or not to its end.
    skipped: str = ""
    seconds: float = 0.0


class Replay:
    """One run of one file."""

    def __init__(
        self,
        file: Path,
        sessions: Sessions,
        names: Names,
        values: Values,
        limit_s: float,
        leave_out: Collection[int] = (),
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sessions = sessions
        self._names = names
        self._values = values
        self._deadline = time.monotonic() + limit_s
        self._leave_out = leave_out
        self._alive = alive
        self._whole_numbers = "sqlite" in file.parts
        self._hash_threshold = 0
        self._ignored: list[str] = []
        self._done = Replayed()
        self._ordinal = 0

    def run(self, commands: Sequence[Command]) -> Replayed:
        begin = time.monotonic()
        self._values.forget_labels()
        try:
            if self._whole_numbers:
                self._execute(MAIN, "SET integer_division=true")
            self._run(commands, {})
        except (_End, NotForServers) as e:
            self._done.skipped = e.reason if isinstance(e, _End) else str(e)
        except (MalformedScript, LookupError, ValueError) as e:
            self._done.skipped = f"not of the format: {e}"
        self._done.seconds = time.monotonic() - begin
        return self._done

    def _run(self, commands: Sequence[Command], variables: dict[str, str]) -> bool:
        """False after `continue`."""
        for command in commands:
            if time.monotonic() > self._deadline:
                raise _End("time limit")
            if isinstance(command, Loop):
                self._loop(command, variables)
            elif not all(c.runs(_by_lower(variables)) for c in command.conditions):
                continue
            elif isinstance(command, Control):
                if command.word == "continue":
                    return False
                self._control(command, variables)
            else:
                self._statement(command, variables)
        return True

    def _loop(self, loop: Loop, variables: dict[str, str]) -> None:
        names = loop.variable.split(",")
        for value in loop.values:
            value = self._names.expand(value)
            values = value.split(",") if len(names) > 1 else [value]
            self._run(loop.body, {**variables, **dict(zip(names, values, strict=True))})

    def _expander(self, variables: dict[str, str]) -> Callable[[str], str]:
        def expand(text: str) -> str:
            for name, value in variables.items():
                text = text.replace("${" + name + "}", value).replace("{" + name + "}", value)
            return self._names.expand(text)

        return expand

    def _control(self, command: Control, variables: dict[str, str]) -> None:
        expand = self._expander(variables)
        arguments = [expand(argument) for argument in command.arguments]
        match command.word:
            case "require":
                if not _is_there(arguments):
                    raise _End("require " + arguments[0].lower())
            case "require-env":
                value = os.environ.get(arguments[0])
                if value is None or arguments[1:] not in ([], [value]):
                    raise _End("require-env " + arguments[0])
                self._names.variables[arguments[0]] = value
            case "test-env":
                self._names.variables[arguments[0]] = arguments[1]
            case "halt":
                raise _End
            case "hash-threshold":
                self._hash_threshold = int(arguments[0])
            case "set" if arguments[0] == "seed":
                self._execute(MAIN, f"SELECT setseed({arguments[1]})")
            case "set" if arguments[0] == "ignore_error_messages":
                texts = " ".join(arguments[1:]).split(",")
                self._ignored = [text.strip() for text in texts if text.strip()]
            case "reset" if arguments[0] == "label":
                self._values.forget_labels(arguments[1])
            case "load" if "readonly" in arguments or len(arguments) > 2:
                raise _End("load of a database that is there")
            case "load" | "restart" | "reconnect":
                # A server's clients can only come again: the lake stays, a session's things go.
                self._sessions.reconnect(MAIN)
                if command.word != "reconnect":
                    self._sessions.close()
            case "sleep":
                unit = {"mil": 1e-3, "mic": 1e-6, "nan": 1e-9}.get(arguments[1][:3].lower(), 1.0)
                time.sleep(min(float(arguments[0]) * unit, _LONGEST_SLEEP_S))
            case "unzip":
                self._unzip(arguments)
            case "tags" | "mode" | "set":
                pass
            case other:
                raise _End(f"unknown word {other}")

    def _unzip(self, arguments: list[str]) -> None:
        source = Path(arguments[0])
        if not source.is_file():
            raise _End("unzip of a file that is not there")
        target = Path(self._names.variables["TEST_DIR"]) / source.stem
        if len(arguments) > 1 and arguments[1] != "NULL":
            target = Path(arguments[1])
        with gzip.open(source) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain)

    def _statement(self, command: Statement | Query, variables: dict[str, str]) -> None:
        self._ordinal += 1
        expand = self._expander(variables)
        sql = expand(command.sql)
        expects_error = isinstance(command, Statement) and command.expected == "error"
        of_attach = expects_error and self._names.attaches(sql)
        if of_attach or self._ordinal in self._leave_out:
            self._keep(command, sql, left_out=True)
            return
        sent = self._names.translate(sql)
        error: SqlError | None = None
        rows = Rows([], [], [], "")
        try:
            rows = self._execute(command.connection, sent)
        except SqlError as e:
            error = e
        if error is not None and any(text in error.text for text in self._ignored):
            raise _End("an error that the file has ignored")
        failure, detail = self._judge(command, rows, error, expand)
        self._keep(command, sql, rows=rows, error=error, failure=failure, detail=detail)
        if error is not None and not self._alive():
            raise _End("the server ended")

    def _execute(self, connection: str, sql: str) -> Rows:
        rows = Rows([], [], [], "")
        for statement in _split(sql):
            table = self._sessions.execute(connection, statement)
            try:
                rows = self._values.rows(table, self._whole_numbers)
            except (duckdb.Error, UnicodeError) as e:
                raise SqlError(f"cannot read the result: {e}", "client") from e
        return rows

    def _judge(
        self,
        command: Statement | Query,
        rows: Rows,
        error: SqlError | None,
        expand: Callable[[str], str],
    ) -> tuple[str, str]:
        if isinstance(command, Query):
            if error is not None:
                return "error", error.text
            lines = [self._names.expand(line) if "{" in line else line for line in command.rows]
            lines = [expand(line) if "{" in line else line for line in lines]
            if self._hash_threshold and len(rows.values) > self._hash_threshold and not lines:
                return "", ""
            if not lines and rows.schema == COUNT and rows.values == ["0"]:
                return "", ""
            mismatch = self._values.check(command, rows, lines, expand)
            return (mismatch.kind, mismatch.text) if mismatch else ("", "")
        if error is None:
            return ("no error", command.error) if command.expected == "error" else ("", "")
        if command.expected == "ok":
            return "error", error.text
        if not matches_error(expand(command.error), error.text, expand):
            return "other error", f"{error.text}, expected: {command.error}"
        return "", ""

    def _keep(
        self,
        command: Statement | Query,
        sql: str,
        *,
        rows: Rows | None = None,
        error: SqlError | None = None,
        failure: str = "",
        detail: str = "",
        left_out: bool = False,
    ) -> None:
        if rows is None or isinstance(command, Statement):
            # What a statement without rows answers is each driver's own.
            rows = Rows([], [], [], "")
        self._done.outcomes.append(
            Outcome(
                ordinal=self._ordinal,
                line=command.line,
                sql=sql,
                error=None if error is None else error.text,
                status="" if error is None else error.status,
                schema=rows.schema,
                digest=digest_of(rows.values),
                digest_sorted=digest_of(rows.sorted("rowsort")),
                failure=failure,
                detail=detail,
                left_out=left_out,
            )
        )


def is_about_lakes(commands: Sequence[Command]) -> bool:
    """True for DuckLake's own tests, whose results depend on what was in the lake before."""
    return any(
        isinstance(c, Control) and c.word == "require" and c.arguments[:1] == ("ducklake",)
        for c in commands
    )


def _is_there(arguments: list[str]) -> bool:
    what = arguments[0].lower()
    if what in ("vector_size", "exact_vector_size"):
        wanted = int(arguments[1])
        return wanted == _VECTOR_SIZE if what == "exact_vector_size" else wanted <= _VECTOR_SIZE
    return what in PRESENT


def _by_lower(variables: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value.lower() for name, value in variables.items()}


def _split(sql: str) -> list[str]:
    """A server takes one statement a request; a text that does not parse is sent as it is."""
    if ";" not in sql.rstrip().rstrip(";"):
        return [sql]
    try:
        statements = [statement.query for statement in duckdb.extract_statements(sql)]
    except duckdb.Error:
        return [sql]
    if not all(statement.strip() for statement in statements):
        # DuckDB has made several of one, such as ALTER with a default that is computed.
        statements = re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", sql)
    return [statement for statement in statements if statement.strip()] or [sql]
