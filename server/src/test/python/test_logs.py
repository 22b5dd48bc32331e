"""The log is a contract: one JSON object a line, the same fields for each statement, no values."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request

import pytest
from conftest import LAUNCHER, LISTENING, eventually

FIELDS = {
    "query_id",
    "user",
    "session",
    "kind",
    "outcome",
    "ms",
    "queue_ms",
    "plan_ms",
    "rows",
    "bytes",
}
JSON = {"LOG_FORMAT": "json"}


def lines(server) -> list[dict]:
    """All lines so far; whatever is no JSON object on one line fails here."""
    return [json.loads(line) for line in server.errors]


def ended(server, number: int) -> list[dict]:
    """The lines of statements, once there are so many."""
    eventually(lambda: len([1 for line in lines(server) if "query_id" in line]) >= number)
    found = [line for line in lines(server) if "query_id" in line]
    assert len(found) == number, found
    return found


def test_each_statement_has_one_line(start):
    server = start(environment=JSON).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t AS SELECT range AS i FROM range(10)")
        cursor.execute("SELECT * FROM t WHERE i < 5")
        assert cursor.fetch_arrow_table().num_rows == 5
        with pytest.raises(Exception):
            cursor.execute("SELECT * FROM missing")
    create, select, missing = ended(server, 3)
    for line in create, select, missing:
        assert line["message"] == "query ended" and line["level"] == "INFO"
        assert FIELDS <= set(line), line
        assert "sql" not in line
        assert isinstance(line["ms"], float) and isinstance(line["rows"], int)
        assert line["ms"] >= line["queue_ms"] + line["plan_ms"] - 0.01
    assert (create["kind"], create["outcome"]) == ("create", "done")
    assert (select["kind"], select["outcome"], select["rows"]) == ("select", "done", 5)
    assert select["bytes"] > 0 and {"first_batch_ms", "stream_ms"} <= set(select)
    assert (missing["kind"], missing["outcome"], missing["cause"]) == ("select", "failed", "missing")
    assert len({line["query_id"] for line in (create, select, missing)}) == 3
    assert len({line["session"] for line in (create, select, missing)}) == 1


def test_no_value_of_a_statement_is_logged(start):
    server = start(environment={**JSON, "LOG_LEVEL": "debug"}).wait()
    statements = [
        "SELECT 'hidden1' AS a",
        "SELECT 'hidden2'::INTEGER",
        "SELECT 'hidden3' FROM missing",
        "SELEKT 'hidden4'",
        "SELECT 'hidden5",
        "ATTACH 'hidden6.db'",
        "CREATE SECRET s (TYPE s3, KEY_ID 'hidden7', SECRET 'hidden8')",
        "SELECT error('hidden9')",
        "SET s3_secret_access_key = 'hidden10'",
    ]
    with server.connect() as connection:
        for statement in statements:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(statement)
                    cursor.fetchall()
                except Exception:
                    pass
        with connection.cursor() as cursor:
            cursor.execute("SELECT ? AS v", ("hidden11",))
            assert cursor.fetchall() == [("hidden11",)]
    eventually(lambda: len([1 for line in lines(server) if "query_id" in line]) >= 10)
    assert server.stop() == 0
    assert "hidden" not in "\n".join(server.errors)


def test_statements_are_logged_where_that_is_wanted(start):
    server = start(environment={**JSON, "LOG_SQL": "true"}).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'shown' AS a")
        cursor.fetchall()
        with pytest.raises(Exception):
            cursor.execute("CREATE SECRET s (TYPE s3, KEY_ID 'hidden', SECRET 'hidden')")
    select, secret = ended(server, 2)
    assert select["sql"] == "SELECT 'shown' AS a"
    assert secret["outcome"] == "failed" and secret["cause"] == "forbidden"
    assert secret["sql"].startswith("CREATE SECRET s") and "hidden" not in str(secret)


def test_the_last_lines_are_written_before_the_end(start):
    server = start(environment=JSON).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        for i in range(200):
            cursor.execute(f"SELECT {i}")
            cursor.fetchall()
    assert server.stop() == 0
    eventually(lambda: len([1 for line in lines(server) if "query_id" in line]) == 200)


def test_a_log_that_nobody_reads_stops_nothing(tmp_path):
    """Its pipe holds 64 KiB, and the server some thousand lines; the rest is lost, and counted."""
    port = free_port()
    process = subprocess.Popen(
        [*LAUNCHER, "serve", f"--local={tmp_path / 'lake'}", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), **JSON, "HTTP_PORT": str(port)},
    )
    try:
        uri = next(line for line in process.stdout if line.startswith(LISTENING))
        import adbc_driver_flightsql.dbapi as flight

        uri = uri.strip().removeprefix(LISTENING)
        with flight.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
            until = time.monotonic() + 60
            while dropped(port) == 0:
                assert time.monotonic() < until
                for _ in range(500):
                    cursor.execute("SELECT 1")
                    assert cursor.fetchall() == [(1,)]
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def environment() -> dict:
    import os

    return dict(os.environ)


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def dropped(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    name = "ducklake_flight_log_dropped_total "
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[1])
