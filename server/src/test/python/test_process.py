"""The program as a process: how it starts, ends, and what survives."""

import contextlib
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pyarrow as pa
import pyarrow.compute  # noqa: F401 - pa.compute
import pytest

from conftest import LAUNCHER, eventually

ENDLESS = "SELECT i, i::VARCHAR AS s FROM range(1000000000000) t(i)"


def test_the_start_up_lines(start):
    server = start().wait()
    assert server.lines[:2] == [
        "✓ DuckLake catalog configured",
        "✓ DuckLake catalog initialized successfully",
    ]
    line = r"✓ Flight SQL server listening on grpc://127\.0\.0\.1:\d+"
    assert re.fullmatch(line, server.lines[2])
    assert server.stop() == 0


def test_a_port_in_use(start, tmp_path):
    first = start().wait()
    second = start(lake=tmp_path / "other", port=first.port)
    assert second.process.wait(30) == 69
    assert_one_line(second, str(first.port))


def test_a_second_server_on_the_same_lake(start):
    start().wait()
    second = start()
    assert second.process.wait(30) == 69
    assert_one_line(second, "in use by another process")


def test_a_directory_that_cannot_be_made(start, tmp_path):
    (tmp_path / "file").write_text("")
    server = start(lake=tmp_path / "file" / "lake")
    assert server.process.wait(30) == 77
    assert_one_line(server, "--local=DIR")


def test_a_corrupt_catalog(start, tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "catalog.ducklake").write_bytes(b"this is no database" * 1000)
    server = start()
    assert server.process.wait(30) == 69
    assert_one_line(server, "catalog.ducklake")


def test_a_wrong_setting(start):
    server = start(environment={"MEMORY_LIMIT": "much", "THREADS": "0"})
    assert server.process.wait(30) == 78
    assert len(server.errors) == 2
    assert "memory_limit" in server.errors[1] or "memory_limit" in server.errors[0]


def test_an_address_that_others_reach_needs_a_decision(start):
    server = start("--host", "0.0.0.0")
    assert server.process.wait(30) == 78
    assert_one_line(server, "flight_auth=none")
    assert start("--host", "0.0.0.0", environment={"FLIGHT_AUTH": "none"}).wait().stop() == 0


@pytest.mark.parametrize("arguments", [["serve", "--nonsense"], ["nonsense"], []])
def test_wrong_usage(arguments):
    done = subprocess.run([*LAUNCHER, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 64
    assert "Usage:" in done.stderr
    assert "\tat " not in done.stderr


def test_help_and_version():
    for arguments in (["--help"], ["serve", "--help"], ["sql", "--help"], ["--version"]):
        done = subprocess.run([*LAUNCHER, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0
        assert "ducklake-flight" in done.stdout
    assert re.search(r"DuckDB 1\.5\.5", done.stdout)
    assert re.search(r"Arrow \d", done.stdout)


def test_nothing_is_left_in_the_directory_for_temporary_files(start, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    server = start(environment={"JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={temporary}"}).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT i FROM range(100000) t(i) ORDER BY hash(i)")
        assert cursor.fetch_arrow_table().num_rows == 100_000
    assert server.stop() == 0
    assert [path.name for path in temporary.iterdir() if path.name != "hsperfdata_root"] == []


def test_kill_9_after_an_acknowledged_commit(start):
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (i BIGINT)")
        cursor.execute("INSERT INTO kept VALUES (1)")
        cursor.fetchall()
        assert cursor.adbc_ingest("kept", pa.table({"i": range(200_000)}), mode="append") == 200_000
        server.kill()
    again = start().wait()
    with again.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(i) FROM kept")
        assert cursor.fetchall() == [(200_001, 199_999)]
    assert again.stop() == 0


def test_sigterm_in_mid_stream(start):
    server = start().wait()
    with gone_at_the_end(server) as cursor:
        cursor.execute("SELECT i, i::VARCHAR AS s FROM range(5000000) t(i)")
        reader = cursor.fetch_record_batch()
        rows = reader.read_next_batch().num_rows
        server.terminate()
        for batch in reader:
            rows += batch.num_rows
        assert rows == 5_000_000
        assert server.process.wait(30) == 0


def test_sigterm_interrupts_what_does_not_end(start):
    server = start(environment={"DRAIN_TIMEOUT": "1s"}).wait()
    with gone_at_the_end(server) as cursor:
        cursor.execute(ENDLESS)
        reader = cursor.fetch_record_batch()
        reader.read_next_batch()
        server.terminate()
        with pytest.raises(Exception, match="stopping"):
            for _ in reader:
                pass
        assert server.process.wait(10) == 0


@contextlib.contextmanager
def gone_at_the_end(server):
    """A cursor whose server has ended by the time it is closed, of which the driver complains."""
    connection = server.connect()
    cursor = connection.cursor()
    yield cursor
    for one in (cursor, connection):
        with contextlib.suppress(Exception):
            one.close()


def test_slow_reader_stays_bounded(start):
    """10 million rows to a client that sleeps between batches: less than 300 MB more."""
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM range(1000000)")
        cursor.fetchall()
        before = server.rss_mb()
        cursor.execute("SELECT i, hash(i) AS h, i::VARCHAR AS s FROM range(10000000) t(i)")
        reader = cursor.fetch_record_batch()
        rows, batches, most = 0, 0, before
        for batch in reader:
            rows += batch.num_rows
            batches += 1
            if batches <= 40:
                time.sleep(0.1)
            most = max(most, server.rss_mb())
        assert rows == 10_000_000
    print(f"grew by {most - before:.0f} MB")
    assert most - before < 300


WIDE = {"adbc.flight.sql.client_option.with_max_msg_size": str(64 << 20)}


@pytest.mark.parametrize(
    ("sql", "rows", "letters", "most_mb"),
    [
        (
            "SELECT CASE WHEN i < 1500000 THEN 'a' ELSE repeat('x', 20000) END AS s"
            " FROM range(1700000) t(i)",
            1_700_000,
            1_500_000 + 200_000 * 20_000,
            3000,
        ),
        ("SELECT repeat('x', 9000000) AS s FROM range(300)", 300, 300 * 9_000_000, 4000),
        ("SELECT [repeat('x', 9000000)] AS s FROM range(100)", 100, 100 * 9_000_000, 1500),
    ],
)
def test_wide_rows(start, sql, rows, letters, most_mb):
    """Wide rows after narrow ones, and very wide ones, come whole and in bounded memory.

    The bounds are what DuckDB itself takes (2 GB for the first, all of the others: it makes 2,048
    rows at once) and a third more.
    """
    server = start().wait()
    with server.connect(db_kwargs=WIDE) as connection, connection.cursor() as cursor:
        before = most = server.rss_mb()
        cursor.execute(sql)
        seen_rows = seen_letters = 0
        for batch in cursor.fetch_record_batch():
            seen_rows += batch.num_rows
            column = batch.column(0)
            column = column.flatten() if pa.types.is_list(column.type) else column
            seen_letters += pa.compute.sum(pa.compute.utf8_length(column)).as_py()
            most = max(most, server.rss_mb())
    assert (seen_rows, seen_letters) == (rows, letters)
    print(f"grew by {most - before:.0f} MB")
    assert most - before < most_mb


def test_megabytes_of_sql(start):
    """A long statement is run, a longer one refused, and the server goes on."""
    server = start().wait()
    with server.connect(db_kwargs=WIDE) as connection, connection.cursor() as cursor:
        rows = 600_000
        values = ",".join(["(1,'a text')"] * rows)
        cursor.execute("SELECT count(*) FROM (VALUES " + values + ") t(i, s)")
        assert cursor.fetchone() == (rows,)
        cursor.execute("SELECT 42 -- ;" + "'; " * 2_500_000)
        assert cursor.fetchone() == (42,)
        with pytest.raises(Exception, match="Parser Error"):
            cursor.execute("SELECT 1" + " )" * 4_000_000)
        with pytest.raises(Exception, match="longer than 16 MiB"):
            cursor.execute("SELECT '" + "x" * 20_000_000 + "'")
        cursor.execute("SELECT 42")
        assert cursor.fetchone() == (42,)


def test_megabytes_of_parameters(start):
    """600 MB of them are refused, and the server goes on."""
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bound (s VARCHAR)")
        batch = pa.record_batch({"s": ["x" * 1_000_000] * 10})
        rows = pa.RecordBatchReader.from_batches(batch.schema, [batch] * 60)
        with pytest.raises(Exception, match="bulk ingest"):
            cursor.executemany("INSERT INTO bound VALUES (?)", rows)
        cursor.executemany("INSERT INTO bound VALUES (?)", pa.Table.from_batches([batch]))
        cursor.execute("SELECT count(*), sum(length(s)) FROM bound")
        assert cursor.fetchone() == (10, 10_000_000)


def test_a_killed_client_frees_the_engine(start):
    server = start().wait()
    script = textwrap.dedent(
        f"""
        import adbc_driver_flightsql.dbapi as dbapi, time
        connection = dbapi.connect("{server.uri}", autocommit=True)
        cursor = connection.cursor()
        cursor.execute("{ENDLESS}")
        reader = cursor.fetch_record_batch()
        reader.read_next_batch()
        print("reading", flush=True)
        for batch in reader:
            pass
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdout.readline() == "reading\n"
        client.send_signal(signal.SIGKILL)
        client.wait()
    assert_idle_soon(server)


def test_cancel_while_running(start):
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        failure: list[BaseException] = []

        def run():
            try:
                cursor.execute(
                    "SELECT count(*) FROM range(10000000) a, range(10000000) b"
                    " WHERE a.range % 7 = b.range % 5"
                )
                cursor.fetchall()
            except BaseException as e:  # noqa: BLE001 - looked at below
                failure.append(e)

        thread = threading.Thread(target=run)
        thread.start()
        busy = server.cpu_seconds()
        eventually(lambda: server.cpu_seconds() > busy + 0.5)
        cursor.adbc_cancel()
        thread.join(5)
        assert not thread.is_alive()
        assert failure
    assert_idle_soon(server)


def assert_idle_soon(server) -> None:
    """Within a second or so the engine does nothing any more."""

    def idle() -> bool:
        used = server.cpu_seconds()
        time.sleep(0.5)
        return server.cpu_seconds() - used < 0.1

    eventually(idle, 4)


def assert_one_line(server, text: str) -> None:
    eventually(lambda: len(server.errors) > 0)
    lines = [line for line in server.errors if line.startswith("✗")]
    assert len(lines) == 1 and len(server.errors) == 1, server.errors
    assert text in lines[0]


def test_a_second_sigterm_ends_the_waiting(start):
    server = start(environment={"DRAIN_DELAY": "50s", "DRAIN_TIMEOUT": "50s"}).wait()
    server.terminate()
    time.sleep(1)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
    server.terminate()
    assert server.process.wait(10) == 0
