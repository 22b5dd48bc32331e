"""The clients, each with a thread and tables of its own, that go on until they are told to stop."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa

from ducklake_bench import wire
from ducklake_bench.clients import CALL_TIMEOUT_S, GrpcCalls, RawFlight

#: Calls that a connection makes before the next one takes its place.
CALLS_OF_CONNECTION = 100
#: Inserts before a table is made anew, so that the lake stays small.
ROUNDS_OF_TABLE = 40
IDLE_CONNECTIONS = 10

#: One step of a client; a client is a generator of them.
Client = Callable[[str], Iterator[None]]


def _execute(connection: adbc.Connection, sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _update(connection: adbc.Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def small(uri: str) -> Iterator[None]:
    with adbc.connect(uri, autocommit=True) as connection:
        for i in range(CALLS_OF_CONNECTION):
            if _execute(connection, f"SELECT {i} + 1") != [(i + 1,)]:
                raise AssertionError("a wrong result")
            _execute(connection, f"SELECT name FROM base WHERE id = {i}")
            yield


def scan(uri: str) -> Iterator[None]:
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for _ in range(10):
            cursor.execute("SELECT * FROM base")
            if sum(batch.num_rows for batch in cursor.fetch_record_batch()) != 100_000:
                raise AssertionError("rows are missing")
            yield


def spill(uri: str) -> Iterator[None]:
    """More than the engine's memory holds."""
    with adbc.connect(uri, autocommit=True) as connection:
        _execute(
            connection,
            "SELECT max(s) FROM (SELECT hash(i)::VARCHAR || repeat('x', 40) AS s"
            " FROM range(6000000) t(i) ORDER BY s DESC OFFSET 10)",
        )
        yield


def ingest(uri: str) -> Iterator[None]:
    rows = pa.table({"id": range(5_000), "name": [f"row {i}" for i in range(5_000)]})
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for i in range(ROUNDS_OF_TABLE):
            cursor.adbc_ingest("ingested", rows, mode="replace" if i == 0 else "append")
            yield


def transact(uri: str) -> Iterator[None]:
    with adbc.connect(uri, autocommit=True) as connection:
        _update(connection, "CREATE OR REPLACE TABLE transacted (id BIGINT)")
    with adbc.connect(uri) as connection:
        for i in range(ROUNDS_OF_TABLE):
            _update(connection, f"INSERT INTO transacted VALUES ({i})")
            _update(connection, f"UPDATE transacted SET id = id + 1 WHERE id = {i}")
            connection.commit() if i % 2 else connection.rollback()
            yield


def prepare(uri: str) -> Iterator[None]:
    """Closes none of its prepared statements."""
    calls = GrpcCalls(uri)
    try:
        for i in range(CALLS_OF_CONNECTION):
            list(calls._action(wire.create_prepared(f"SELECT {i}"), timeout=CALL_TIMEOUT_S))
            yield
    finally:
        calls.close()


def cancel(uri: str) -> Iterator[None]:
    with RawFlight(uri) as raw:
        for _ in range(20):
            stream = raw.stream("SELECT i, i::VARCHAR AS s FROM range(50000000) t(i)")
            next(stream)
            stream.close()
            yield


def die(uri: str) -> Iterator[None]:
    victim = subprocess.Popen(
        [sys.executable, "-m", "ducklake_soak.victim", uri],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert victim.stdout is not None and victim.stderr is not None
        if victim.stdout.readline() != "reading\n":
            raise AssertionError(victim.stderr.read()[-300:])
    finally:
        victim.kill()
        victim.communicate()
    yield


def idle(uri: str) -> Iterator[None]:
    """Sessions with a temporary table, of which the server ends those that do nothing."""
    kept: deque[adbc.Connection] = deque()
    try:
        for _ in range(CALLS_OF_CONNECTION):
            kept.append(adbc.connect(uri, autocommit=True))
            _update(kept[-1], "CREATE TEMPORARY TABLE mine AS SELECT 1 AS i")
            if len(kept) > IDLE_CONNECTIONS:
                kept.popleft().close()
            yield
    finally:
        for connection in kept:
            with suppress(Exception):
                connection.close()


#: With the pause after each step, in seconds: a load that two cores bear.
CLIENTS: dict[str, tuple[Client, float]] = {
    "small": (small, 0.05),
    "scan": (scan, 1.0),
    "spill": (spill, 20.0),
    "ingest": (ingest, 0.5),
    "transact": (transact, 0.5),
    "prepare": (prepare, 0.05),
    "cancel": (cancel, 0.5),
    "die": (die, 3.0),
    "idle": (idle, 1.0),
}


class Load:
    def __init__(self, uri: str) -> None:
        self.steps: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        #: The text of one failure of each client.
        self.texts: dict[str, str] = {}
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(name, client, pause, uri), name=name)
            for name, (client, pause) in CLIENTS.items()
        ]
        with adbc.connect(uri, autocommit=True) as connection:
            _update(
                connection,
                "CREATE TABLE base AS SELECT i AS id, 'name ' || i AS name FROM range(100000) t(i)",
            )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def _run(self, name: str, client: Client, pause: float, uri: str) -> None:
        while not self._over.is_set():
            steps = client(uri)
            try:
                for _ in steps:
                    self.steps[name] += 1
                    if self._over.wait(pause):
                        break
            except Exception as e:
                self.failures[name] += 1
                self.texts[name] = " ".join(str(e).split())[:300]
                time.sleep(1)
            finally:
                with suppress(Exception):
                    steps.close()  # type: ignore[attr-defined]

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=120)
