"""All of the ADBC driver's DB-API, and what ADBC adds to it."""

import concurrent.futures
import datetime
import decimal
import multiprocessing
import threading

import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import pyarrow as pa
import pytest
from adbc_driver_flightsql import ConnectionOptions, DatabaseOptions, StatementOptions

PROGRESS = "adbc.statement.exec.progress"
INCREMENTAL = "adbc.statement.exec.incremental"
ENDLESS = "SELECT i FROM range(100000000000) t(i)"


@pytest.fixture
def connection(server):
    with server.connect() as connection:
        yield connection


def test_every_way_to_fetch(cursor):
    query = "SELECT i FROM range(10) t(i)"
    cursor.execute(query)
    assert [column[:2] for column in cursor.description] == [("i", pa.int64())]
    assert (cursor.fetchone(), cursor.rownumber) == ((0,), 1)
    assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
    cursor.arraysize = 2
    assert cursor.fetchmany() == [(4,), (5,)]
    assert cursor.next() == (6,)
    assert list(cursor) == [(7,), (8,), (9,)]
    assert (cursor.fetchone(), cursor.fetchall()) == (None, [])
    assert cursor.execute(query).fetch_arrow_table().num_rows == 10
    assert cursor.execute(query).fetch_record_batch().read_all().num_rows == 10
    assert pa.RecordBatchReader.from_stream(cursor.execute(query).fetch_arrow()).read_all()
    assert cursor.execute(query).fetch_df()["i"].sum() == 45
    assert cursor.execute(query).fetch_polars()["i"].sum() == 45


def test_rows_changed(cursor):
    cursor.execute("CREATE OR REPLACE TABLE changed (i INT)")
    cursor.executemany("INSERT INTO changed VALUES (?)", [(1,), (2,)])
    assert cursor.rowcount == 2
    cursor.executemany("INSERT INTO changed VALUES (?)", pa.record_batch({"i": [3, 4, 5]}))
    assert cursor.rowcount == 3
    cursor.executemany("UPDATE changed SET i = 0", None)
    assert cursor.rowcount == 5
    cursor.executescript("DROP TABLE changed")


@pytest.mark.parametrize(
    "value",
    [
        True,
        7,
        1 << 40,
        1.5,
        "häß",
        b"\x00\xff",
        None,
        decimal.Decimal("1.25"),
        datetime.date(1969, 12, 31),
        datetime.time(1, 2, 3, 4),
        datetime.datetime(2020, 2, 29, 1, 2, 3, 4),
        datetime.datetime(2020, 2, 29, tzinfo=datetime.timezone.utc),
    ],
)
def test_values_bound(cursor, value):
    assert cursor.execute("SELECT ? AS v", (value,)).fetchall() == [(value,)]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, datetime.timedelta(days=1)])
def test_values_that_are_bound_as_text(cursor, value):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="bind text and cast it"):
        cursor.execute("SELECT ? AS v", (value,))


def test_many_rows_of_values_for_one_query(cursor):
    cursor.execute("SELECT ?::INT AS i", pa.record_batch({"i": [1, 2, 3]}))
    assert cursor.fetchall() == [(1,), (2,), (3,)]


def test_schemas_before_a_run(cursor):
    cursor.execute("CREATE OR REPLACE TABLE planned (i INT)")
    assert cursor.adbc_prepare("SELECT 1") is None
    assert cursor.adbc_prepare("INSERT INTO planned VALUES (?)").types == [pa.int32()]
    # Times keep their microseconds; what is taken as text only is announced as text.
    announced = cursor.adbc_prepare("SELECT ?::TIMESTAMP, ?::INTERVAL, ?::INT[], ?::ENUM('a')")
    assert announced.types == [pa.timestamp("us"), pa.string(), pa.string(), pa.string()]
    schema = cursor.adbc_execute_schema("SELECT ?::DECIMAL(9, 2) AS d", (1,))
    assert (schema.names, schema.types) == (["d"], [pa.decimal128(9, 2)])
    assert cursor.execute("SELECT count(*) FROM planned").fetchall() == [(0,)]


def test_partitions_are_read_over_another_connection(server, cursor):
    partitions, schema = cursor.adbc_execute_partitions("SELECT i FROM range(100000) t(i)")
    assert schema.names == ["i"]
    rows = 0
    with server.connect() as other, other.cursor() as reader:
        for partition in partitions:
            reader.adbc_read_partition(partition)
            rows += reader.fetch_arrow_table().num_rows
    assert rows == 100_000


PARTITIONS = "adbc.flight.sql.session.option.partitions"


def read_part(work: tuple[str, bytes]) -> pa.Table:
    """In a process of its own, with nothing but the address and the part."""
    uri, part = work
    with adbc_driver_flightsql.dbapi.connect(uri) as connection, connection.cursor() as reader:
        reader.adbc_read_partition(part)
        return reader.fetch_arrow_table()


@pytest.fixture
def divided(connection):
    """A table of many files."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE divided (i BIGINT, v VARCHAR)")
        for file in range(8):
            rows = f"SELECT i, 'v' || i FROM range({file * 1000}, {file * 1000 + 1000}) r(i)"
            cursor.execute(f"INSERT INTO divided {rows}")
        cursor.execute("DELETE FROM divided WHERE i % 10 = 0")
        cursor.execute("INSERT INTO divided VALUES (-1, 'inlined')")
        connection.adbc_connection.set_options(**{PARTITIONS: "4"})
        yield cursor
        connection.adbc_connection.set_options(**{PARTITIONS: "1"})
        cursor.execute("DROP TABLE divided")


def test_parts_are_read_by_processes(server, divided):
    query = "SELECT v, i + 1 AS j FROM divided WHERE i < 7500"
    parts, schema = divided.adbc_execute_partitions(query)
    assert len(parts) == 4
    with server.connect() as other, other.cursor() as writer:
        whole = writer.execute(query).fetch_arrow_table()
        writer.execute("INSERT INTO divided SELECT i, 'late' FROM range(100) r(i)")
        writer.execute("DELETE FROM divided WHERE i % 2 = 0")
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        tables = workers.map(read_part, [(server.uri, part) for part in parts])
    assert all(table.num_rows and table.schema == schema for table in tables)
    order = [("j", "ascending")]
    assert pa.concat_tables(tables).sort_by(order) == whole.sort_by(order)


def test_parts_are_read_by_threads_over_and_over(server, divided):
    parts, _ = divided.adbc_execute_partitions("SELECT i FROM divided")
    with concurrent.futures.ThreadPoolExecutor(4) as workers:
        tables = workers.map(read_part, [(server.uri, part) for part in parts * 3])
        assert sum(table.num_rows for table in tables) == 3 * 7201


def test_a_client_that_knows_no_parts_has_all_of_them(divided):
    divided.execute("SELECT i FROM divided")
    found = sorted(i for (i,) in divided.fetchall())
    assert found == sorted([-1] + [i for i in range(8000) if i % 10])


def test_what_has_no_parts_is_one(connection, divided):
    for query in ("SELECT count(*) FROM divided", "SELECT i FROM divided ORDER BY i"):
        parts, _ = divided.adbc_execute_partitions(query)
        assert len(parts) == 1
        divided.adbc_read_partition(parts[0])
        assert divided.fetchone() in [(7201,), (-1,)]
    assert connection.adbc_connection.get_option_int(PARTITIONS) == 4
    for wrong in ("0", "65", "many"):
        with pytest.raises(adbc_driver_manager.Error):
            connection.adbc_connection.set_options(**{PARTITIONS: wrong})


def test_a_query_is_polled_for(cursor):
    statement = cursor.adbc_statement
    statement.set_options(**{INCREMENTAL: "true"})
    statement.set_sql_query("SELECT count(*) AS n FROM range(1000)")
    found = []
    while True:
        partitions, _, _ = statement.execute_partitions()
        if not partitions:
            break
        found += partitions
        assert 0 <= statement.get_option_float(PROGRESS) <= 1
    with cursor.connection.cursor() as reader:
        reader.adbc_read_partition(found[0])
        assert reader.fetchall() == [(1000,)]


@pytest.mark.parametrize("of", ["cursor", "connection"])
def test_cancel(connection, of):
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS)
        ended = cursor if of == "cursor" else connection
        threading.Timer(0.3, cursor.adbc_cancel).start()
        with pytest.raises(adbc_driver_manager.OperationalError, match="(?i)cancel"):
            cursor.fetch_arrow_table()
        ended.adbc_cancel()
        assert cursor.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "option, run",
    [
        (ConnectionOptions.TIMEOUT_QUERY, lambda c: c.execute(f"SELECT sum(i) FROM ({ENDLESS})")),
        (ConnectionOptions.TIMEOUT_FETCH, lambda c: c.execute(ENDLESS).fetch_arrow_table()),
        (
            ConnectionOptions.TIMEOUT_UPDATE,
            lambda c: c.executemany(f"CREATE TEMP TABLE slow AS {ENDLESS}", None),
        ),
    ],
)
def test_timeouts(server, option, run):
    with server.connect(conn_kwargs={option.value: "0.3"}) as connection:
        with connection.cursor() as cursor, pytest.raises(adbc_driver_manager.OperationalError):
            run(cursor)


def test_options_of_statements(cursor):
    cursor.adbc_statement.set_options(**{StatementOptions.QUEUE_SIZE.value: "1"})
    assert cursor.execute("SELECT i FROM range(100000) t(i)").fetch_arrow_table().num_rows == 100_000


@pytest.mark.parametrize("cookies", ["true", "false"])
def test_where_names_are_looked_up(server, cookies):
    option = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: cookies}
    with server.connect(db_kwargs=option) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS nearby")
        assert (connection.adbc_current_catalog, connection.adbc_current_db_schema) == (
            "lake",
            "main",
        )
        connection.adbc_current_db_schema = "nearby"
        assert connection.adbc_current_db_schema == "nearby"
        assert cursor.execute("SELECT current_schema()").fetchall() == [("nearby",)]
        connection.adbc_current_catalog = "lake"
        with pytest.raises(adbc_driver_manager.ProgrammingError, match="invalid value"):
            connection.adbc_current_db_schema = "nowhere"
        with pytest.raises(adbc_driver_manager.ProgrammingError, match="invalid value"):
            connection.adbc_current_catalog = "nowhere"


def test_autocommit_is_turned_off_and_on(connection):
    handle = connection.adbc_connection
    with connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE switched (i INT)")
        handle.set_autocommit(False)
        cursor.execute("INSERT INTO switched VALUES (1)")
        handle.rollback()
        cursor.execute("INSERT INTO switched VALUES (2)")
        handle.commit()
        cursor.execute("INSERT INTO switched VALUES (3)")
        # Turning it on commits.
        handle.set_autocommit(True)
        assert cursor.execute("SELECT i FROM switched ORDER BY i").fetchall() == [(2,), (3,)]


def test_a_connection_closed_in_a_transaction_rolls_back(server, cursor):
    cursor.execute("CREATE OR REPLACE TABLE left_open (i INT)")
    with server.connect(autocommit=False) as connection, connection.cursor() as other:
        other.execute("INSERT INTO left_open VALUES (1)")
    assert cursor.execute("SELECT count(*) FROM left_open").fetchall() == [(0,)]


def test_clones_and_the_connections_own_execute(connection):
    with connection.adbc_clone() as clone:
        assert clone.execute("SELECT ?", (1,)).fetchall() == [(1,)]


def test_what_is_closed(server):
    connection = server.connect()
    cursor = connection.cursor()
    cursor.close()
    cursor.close()
    with pytest.raises(adbc_driver_manager.ProgrammingError):
        cursor.execute("SELECT 1")
    connection.close()
    connection.close()
    with pytest.raises(adbc_driver_manager.ProgrammingError):
        connection.cursor()


def test_what_there_is_not(connection):
    with connection.cursor() as cursor:
        with pytest.raises(adbc_driver_manager.NotSupportedError):
            cursor.callproc("f", ())
        with pytest.raises(adbc_driver_manager.NotSupportedError):
            cursor.nextset()
        with pytest.raises(adbc_driver_manager.NotSupportedError, match="(?i)substrait"):
            cursor.execute(b"a plan")
    with pytest.raises(adbc_driver_manager.NotSupportedError):
        connection.adbc_get_statistics()
