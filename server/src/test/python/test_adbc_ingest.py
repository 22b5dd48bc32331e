"""adbc_ingest with each of its options."""

import threading

import adbc_driver_manager
import pyarrow as pa
import pytest

MODES = ["create", "append", "replace", "create_append"]
ROWS = pa.table({"i": [1, 2]})


@pytest.fixture
def connection(server):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS depot")
        for name in ("main.parcels", "depot.parcels", "main.nothing"):
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
        yield connection


def ingest(connection, data=ROWS, table="parcels", **options):
    # What is set for an ingest stays with the driver's statement: a new one for each.
    with connection.cursor() as cursor:
        return cursor.adbc_ingest(table, data, **options)


def rows(connection, table):
    with connection.cursor() as cursor:
        return cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "where, table",
    [
        ({}, "lake.main.parcels"),
        ({"catalog_name": "lake"}, "lake.main.parcels"),
        ({"db_schema_name": "depot"}, "lake.depot.parcels"),
        ({"catalog_name": "lake", "db_schema_name": "depot"}, "lake.depot.parcels"),
        ({"temporary": True}, "temp.main.parcels"),
    ],
)
def test_where_and_how(connection, mode, where, table):
    if mode != "create":
        assert ingest(connection, mode="create", **where) == 2
    assert ingest(connection, mode=mode, **where) == 2
    assert rows(connection, table) == (4 if "append" in mode else 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("where", [{"catalog_name": "nope"}, {"db_schema_name": "nope"}])
def test_where_nothing_is(connection, mode, where):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="nope"):
        ingest(connection, mode=mode, **where)


def test_a_table_that_is_there_or_is_not(connection):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="NOT_FOUND"):
        ingest(connection, mode="append")
    ingest(connection, mode="create")
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="ALREADY_EXISTS"):
        ingest(connection, mode="create")


@pytest.mark.parametrize(
    "data",
    [
        ROWS.to_batches()[0],
        ROWS.to_reader(),
        ROWS,
    ],
)
def test_forms_of_data(connection, data):
    assert ingest(connection, data, mode="create") == 2


def test_tables_without_rows(connection):
    schema = pa.schema([("i", pa.int64())])
    empty = pa.record_batch([pa.array([], pa.int64())], schema=schema)
    assert ingest(connection, empty, "nothing", mode="create") == 0
    assert rows(connection, "nothing") == 0
    # Without a batch the driver (1.13.0) sends nothing at all, so that nobody knows the columns.
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="send one batch of none"):
        ingest(connection, pa.RecordBatchReader.from_batches(schema, []), "nothing", mode="append")


def test_the_driver_leaves_its_transaction_out(server, connection):
    # It (1.13.0) does not send the transaction's handle with an ingest, which commits by itself.
    with server.connect(autocommit=False) as other:
        assert ingest(other, mode="create") == 2
        other.rollback()
    assert rows(connection, "parcels") == 2


def test_tables_that_are_replaced_side_by_side(server):
    """An ingest that others come before in committing is ABORTED, and nothing of it is there."""
    refusals: list[adbc_driver_manager.Error] = []
    done = [0] * 6

    def replace(number: int) -> None:
        for _ in range(10):
            with server.connect() as one:
                try:
                    ingest(one, table=f"side_{number}", mode="replace")
                    done[number] += 1
                except adbc_driver_manager.Error as e:
                    refusals.append(e)

    threads = [threading.Thread(target=replace, args=(number,)) for number in range(len(done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert all(done)
    for refusal in refusals:
        assert refusal.status_code != adbc_driver_manager.AdbcStatusCode.INVALID_ARGUMENT, refusal
    with server.connect() as one:
        for number in range(len(done)):
            assert rows(one, f"side_{number}") == ROWS.num_rows
            one.cursor().execute(f"DROP TABLE side_{number}")
