"""Files one after the other on a server, which is started anew when a file has spoilt it."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ducklake_bench import BenchFailure
from ducklake_bench.server import ServerProcess
from ducklake_logic import script
from ducklake_logic.engines import FlightSession, Sessions, SqlError, offer, reads_data
from ducklake_logic.names import Names
from ducklake_logic.reference import Reference
from ducklake_logic.replay import Replay, Replayed, is_about_lakes
from ducklake_logic.values import Values
from ducklake_logic.verdict import CLASSES, Finding, findings, left_out

_HANG_S = 30.0

#: What is in a catalog, as statements that drop it.
_THINGS = """
    SELECT 'DROP VIEW IF EXISTS ' || database_name || '."' || schema_name || '"."' || view_name || '"'
    FROM duckdb_views() WHERE NOT internal AND NOT temporary AND database_name = 'lake'
    UNION ALL
    SELECT 'DROP TABLE IF EXISTS ' || database_name || '."' || schema_name || '"."' || table_name || '"'
    FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND database_name = 'lake'
    UNION ALL
    SELECT DISTINCT 'DROP MACRO' || CASE function_type WHEN 'table_macro' THEN ' TABLE' ELSE '' END
        || ' IF EXISTS ' || database_name || '."' || schema_name || '"."' || function_name || '"'
    FROM duckdb_functions()
    WHERE NOT internal AND function_type LIKE '%macro' AND database_name = 'lake'
    UNION ALL
    SELECT 'DROP SCHEMA IF EXISTS ' || database_name || '."' || schema_name || '"'
    FROM duckdb_schemas()
    WHERE NOT internal AND schema_name <> 'main' AND database_name = 'lake'"""


@dataclass
class FileResult:
    """`kind` is passed, skipped, or the worst class of what was found."""

    file: str
    kind: str
    reason: str = ""
    seconds: float = 0.0
    statements: int = 0
    as_expected: int = 0
    findings: list[Finding] = field(default_factory=list)


class Worker:
    """Not thread-safe; a run has one for each thread."""

    def __init__(
        self, home: Path, extension: Path, data: Path | None, limit_s: float
    ) -> None:
        home.mkdir()
        self._home = home
        self._data = data
        self._limit_s = limit_s
        self._reference = Reference(home, extension, data)
        self._values = Values()
        self._server: ServerProcess | None = None
        self._lakes = 0
        self._used = False

    @property
    def _lake(self) -> Path:
        return self._home / f"lake{self._lakes}"

    def run(self, file: Path, name: str) -> FileResult:
        try:
            commands = script.parse(file)
        except (script.MalformedScript, IndexError, ValueError) as e:
            return FileResult(name, "skipped", f"not of the format: {e}")
        own_lake = is_about_lakes(commands)
        server = self._fresh_server() if own_lake and self._used else self._running_server()
        self._used = True
        hung = threading.Event()

        def end() -> None:
            hung.set()
            server.kill()

        watch = threading.Timer(self._limit_s + _HANG_S, end)
        watch.start()
        names = Names(file, self._lake, self._data)
        if self._data is not None and reads_data(file):
            offer(self._data, self._lake)
        sessions = Sessions(lambda: FlightSession(server.uri))
        try:
            replay = Replay(
                file, sessions, names, self._values, self._limit_s, alive=lambda: server.runs
            )
            replayed = replay.run(commands)
            sessions.close()
        finally:
            watch.cancel()
        result = self._result(file, name, replayed)
        if hung.is_set() or not server.runs:
            self._lost(result, replayed, "hang" if hung.is_set() else "crash")
        elif not own_lake and not self._clean(server):
            self._stop()
        return result

    def _result(self, file: Path, name: str, replayed: Replayed) -> FileResult:
        in_process = None
        if replayed.outcomes:
            in_process = self._reference.replay(file, left_out(replayed), self._limit_s)
        lakes = (self._lake, self._reference.lake)
        found = list(findings(replayed, in_process, lakes))
        run = [o for o in replayed.outcomes if not o.left_out]
        kind = min((f.kind for f in found), key=list(CLASSES).index, default="passed")
        if kind == "passed" and replayed.skipped:
            kind = "skipped"
        return FileResult(
            name,
            kind,
            replayed.skipped,
            replayed.seconds,
            len(run),
            sum(not o.failure for o in run),
            found,
        )

    def _lost(self, result: FileResult, replayed: Replayed, kind: str) -> None:
        last = replayed.outcomes[-1]
        words = "" if self._server is None else self._server.last_words()
        result.kind = kind
        result.findings.insert(
            0, Finding(kind, last.line, last.sql, last.failure, words[-1000:], "")
        )
        self._server = None

    def _running_server(self) -> ServerProcess:
        return self._server if self._server is not None else self._fresh_server()

    def _fresh_server(self) -> ServerProcess:
        self._stop()
        shutil.rmtree(self._lake, ignore_errors=True)
        self._lakes += 1
        server = ServerProcess(self._lake, self._home / "server.log")
        server.start()
        self._server = server
        return server

    def _clean(self, server: ServerProcess) -> bool:
        """Drops what a file has left; false where that does not go."""
        session = FlightSession(server.uri)
        until = time.monotonic() + _HANG_S
        try:
            for _ in range(3):
                left = session.execute(_THINGS).column(0).to_pylist()
                if not left:
                    shutil.rmtree(self._lake / "data" / "scratch", ignore_errors=True)
                    return True
                for drop in left:
                    if time.monotonic() > until:
                        return False
                    try:
                        session.execute(drop)
                    except SqlError:
                        continue  # something depends on it: the next turn
            return False
        except SqlError:
            return False
        finally:
            session.close()

    def _stop(self) -> None:
        if self._server is not None:
            try:
                self._server.stop()
            except BenchFailure as e:
                print(f"  the server did not stop well: {e}", flush=True)
            self._server = None

    def close(self) -> None:
        self._stop()
        self._reference.close()
