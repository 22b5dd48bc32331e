"""What one client may make the server hold, and what it may not do to the others."""

import threading
import time

import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as flight
import pytest


def fails(action, match):
    with pytest.raises(adbc_driver_manager.Error, match=match):
        action()


@pytest.mark.parametrize(
    "statement",
    [
        "CALL enable_logging('QueryLog', storage='file', storage_path='/nonexistent/x')",
        "FROM enable_logging('QueryLog')",
        "PRAGMA enable_profiling",
        "CALL enable_profiling()",
        "PRAGMA disable_checkpoint_on_shutdown",
        'FROM "duckdb_logs"()',
        "\u2060DETACH lake",
        "\u2060ATTACH ':memory:' AS zz",
        "IMPORT DATABASE 'x'",
        "SET threads=1",
    ],
)
def test_what_would_change_the_engine_for_all(server, cursor, statement):
    fails(lambda: cursor.execute(statement), "(?i)PERMISSION_DENIED|Unauthorized|Forbidden")
    with server.connect() as other, other.cursor() as another:
        another.execute("SELECT count(*) FROM lake.snapshots()")


def test_a_space_that_cannot_be_seen(server, cursor):
    cursor.execute("CREATE OR REPLACE TABLE spaced (i INT)")
    cursor.execute("\u2060BEGIN")
    cursor.execute("INSERT INTO spaced VALUES (1)")
    cursor.execute("\u2060ROLLBACK")
    cursor.execute("SELECT count(*) FROM spaced")
    assert cursor.fetchone() == (0,)


def test_bound_parameters_are_bounded_all_together(start):
    server = start().wait()
    text = "x" * (15 << 20)
    with server.connect() as connection:
        held = []
        with pytest.raises(adbc_driver_manager.Error, match="holds too much"):
            for _ in range(20):
                cursor = connection.cursor()
                held.append(cursor)
                cursor.execute("SELECT length(?)", (text,))
        for cursor in held:
            cursor.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT length(?)", (text,))
            assert cursor.fetchone() == (len(text),)
    assert server.stop() == 0


def test_the_oldest_of_many_large_statements_are_forgotten(start):
    server = start().wait()
    text = "x" * (8 << 20)
    with server.connect() as connection:
        held = []
        for number in range(20):
            cursor = connection.cursor()
            held.append(cursor)
            cursor.adbc_prepare(f"SELECT {number}, length('{text}') AS n")
        held[-1].execute(f"SELECT 19, length('{text}') AS n")
        assert held[-1].fetchone() == (19, len(text))
        for cursor in held:
            cursor.close()
    assert server.stop() == 0


def test_results_that_are_not_read_are_bounded(start):
    server = start().wait()
    client = flight.connect(server.uri)
    run(client, "CREATE TEMP TABLE mine AS SELECT 1 AS i")
    before = server.rss_mb()
    for _ in range(10):
        try:
            info(client, "SELECT i FROM range(30000000) t(i)")
        except pa.ArrowInvalid:
            pass
    assert server.rss_mb() - before < 1200
    with pytest.raises(pa.ArrowInvalid, match="wait to be fetched"):
        for _ in range(100):
            info(client, "SELECT 1")
    client.close()
    assert server.stop() == 0


def test_stalled_uploads_hold_up_nobody(server):
    stalled = flight.connect(server.uri)
    writers = []
    for number in range(60):
        descriptor = flight.FlightDescriptor.for_command(ingest_command(f"stalled{number}"))
        writer, _ = stalled.do_put(descriptor, pa.schema([("i", pa.int64())]))
        writers.append(writer)
    with server.connect() as connection, connection.cursor() as cursor:
        started = time.monotonic()
        cursor.execute("SELECT ? + 1", (1,))
        assert cursor.fetchone() == (2,)
        cursor.adbc_ingest("quick", pa.table({"i": [1]}), mode="replace")
        assert time.monotonic() - started < 5
    closing = threading.Thread(target=stalled.close, daemon=True)
    closing.start()
    closing.join(5)


def test_an_upload_that_stalls_is_ended(start):
    server = start(environment={"IDLE_SESSION_TIMEOUT": "1s"}).wait()
    client = flight.connect(server.uri)
    descriptor = flight.FlightDescriptor.for_command(ingest_command("stalled"))
    writer, reader = client.do_put(descriptor, pa.schema([("i", pa.int64())]))
    writer.write_batch(pa.record_batch({"i": [1]}))
    with pytest.raises(flight.FlightTimedOutError, match="has sent nothing"):
        reader.read()
        writer.close()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'stalled'")
        assert cursor.fetchone() == (0,)
    assert server.stop() == 0


def message(name, *fields):
    """A Flight SQL command of text fields."""
    url = ("type.googleapis.com/arrow.flight.protocol.sql." + name).encode()
    return encoded((1, url), (2, encoded(*fields)))


def encoded(*fields):
    """The protobuf message of fields of up to 127 bytes."""
    return b"".join(bytes([number << 3 | 2, len(value)]) + value for number, value in fields)


def info(client, query):
    command = message("CommandStatementQuery", (1, query.encode()))
    return client.get_flight_info(flight.FlightDescriptor.for_command(command))


def run(client, query):
    reader = client.do_get(info(client, query).endpoints[0].ticket)
    return reader.read_all()


def ingest_command(table):
    # Create the table, and fail if it is there.
    return message("CommandStatementIngest", (1, b"\x08\x01\x10\x01"), (2, table.encode()))
