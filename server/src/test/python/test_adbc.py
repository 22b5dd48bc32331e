"""The ADBC Flight SQL driver, as notebooks use it."""

import adbc_driver_manager
import pyarrow as pa
import pytest


def test_every_statement_runs_once(cursor):
    cursor.execute("CREATE OR REPLACE TABLE once (i INT)")
    cursor.execute("INSERT INTO once VALUES (1), (2)")
    assert cursor.fetchall() == [(2,)]
    cursor.execute("SELECT count(*) FROM once")
    assert cursor.fetchall() == [(2,)]


def test_parameters(cursor):
    cursor.execute("CREATE OR REPLACE TABLE p (i BIGINT, s VARCHAR, d DATE)")
    cursor.executemany("INSERT INTO p VALUES (?, ?, ?)", [(1, "a", None), (2, None, None)])
    cursor.execute("SELECT s FROM p WHERE i = ?", (1,))
    assert cursor.fetchall() == [("a",)]
    cursor.execute("SELECT ?", ("text",))
    assert cursor.fetchone() == ("text",)


def test_second_statement_while_a_stream_is_open(server):
    with server.connect() as connection:
        with connection.cursor() as first, connection.cursor() as second:
            first.execute("SELECT i FROM range(2000000) t(i)")
            reader = first.fetch_record_batch()
            rows = reader.read_next_batch().num_rows
            second.execute("SELECT 42")
            assert second.fetchall() == [(42,)]
            rows += sum(batch.num_rows for batch in reader)
            assert rows == 2_000_000


def test_multi_statement_text_is_refused(cursor):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="none of them was run"):
        cursor.execute("CREATE TABLE sneaked (i INT); SELECT 1")
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="does not exist"):
        cursor.execute("SELECT * FROM sneaked")


def test_error_at_batch_n(cursor):
    # The engine works ahead: it may be there before the first row was asked for.
    with pytest.raises(Exception, match="boom"):
        cursor.execute(
            "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE i END FROM range(1000000) t(i)"
        )
        cursor.fetch_arrow_table()


def test_enum_in_the_first_and_in_an_empty_batch(cursor):
    cursor.execute("SELECT unnest(['b', 'a'])::ENUM('a', 'b') AS e")
    assert cursor.fetch_arrow_table().column("e").to_pylist() == ["b", "a"]
    cursor.execute("SELECT 'a'::ENUM('a', 'b') AS e WHERE false")
    table = cursor.fetch_arrow_table()
    assert table.num_rows == 0
    assert table.schema.field("e").type == pa.dictionary(pa.uint8(), pa.string())


def test_wide_strings_stay_below_the_drivers_limit(cursor):
    cursor.execute("SELECT repeat('x', 300000) AS s FROM range(500)")
    assert cursor.fetch_arrow_table().num_rows == 500


def test_a_20_mib_value_with_the_documented_option(server):
    option = "adbc.flight.sql.client_option.with_max_msg_size"
    query = "SELECT repeat('x', 20 * 1024 * 1024) AS s"
    with server.connect(db_kwargs={option: str(64 << 20)}) as connection:
        with connection.cursor() as cursor:
            cursor.execute(query)
            assert len(cursor.fetchone()[0]) == 20 << 20
    with server.connect() as connection, connection.cursor() as cursor:
        with pytest.raises(Exception, match="larger than max"):
            cursor.execute(query)
            cursor.fetchone()


@pytest.mark.parametrize("mode", ["create", "append", "replace", "create_append"])
def test_ingest_modes(cursor, mode):
    table = pa.table({"i": [1, 2, 3], "s": ["a", None, "c"]})
    cursor.execute("DROP TABLE IF EXISTS ingested")
    if mode != "create":
        cursor.execute("CREATE TABLE ingested (i BIGINT, s VARCHAR)")
    assert cursor.adbc_ingest("ingested", table, mode=mode) == 3
    cursor.execute("SELECT * FROM ingested ORDER BY i")
    assert cursor.fetch_arrow_table().to_pydict() == table.to_pydict()


def test_ingest_of_dictionaries_and_nested_columns(cursor):
    table = pa.table(
        {
            "d": pa.array(["x", "y", "x"]).dictionary_encode(),
            "l": [[1], [], None],
            "t": [{"a": 1}, {"a": None}, None],
        }
    )
    cursor.execute("DROP TABLE IF EXISTS nested")
    assert cursor.adbc_ingest("nested", table, mode="create") == 3
    cursor.execute("SELECT d::VARCHAR, l, t FROM nested")
    rows = cursor.fetch_arrow_table().to_pydict()
    assert list(rows.values())[0] == ["x", "y", "x"]
    assert rows["l"] == [[1], [], None]
    assert rows["t"] == [{"a": 1}, {"a": None}, None]


def test_ingest_reader_failure_rolls_back(cursor):
    schema = pa.schema([("i", pa.int64())])

    def batches():
        yield pa.record_batch([pa.array(range(100_000))], schema=schema)
        raise ValueError("the source broke")

    cursor.execute("CREATE OR REPLACE TABLE broken (i BIGINT)")
    with pytest.raises(Exception):
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        cursor.adbc_ingest("broken", reader, mode="append")
    cursor.execute("SELECT count(*) FROM broken")
    assert cursor.fetchall() == [(0,)]


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN WORK", "START", "START TRANSACTION"])
def test_transactions_of_statements(cursor, begin):
    cursor.execute("CREATE OR REPLACE TABLE begun (i INT)")
    cursor.execute(begin)
    cursor.execute("INSERT INTO begun VALUES (1)")
    cursor.execute("ROLLBACK")
    cursor.execute("SELECT count(*) FROM begun")
    assert cursor.fetchall() == [(0,)]


def test_transactions(server):
    with server.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE tx (i INT)")
        connection.commit()
        cursor.execute("INSERT INTO tx VALUES (1)")
        connection.rollback()
        cursor.execute("SELECT count(*) FROM tx")
        assert cursor.fetchall() == [(0,)]
        cursor.execute("INSERT INTO tx VALUES (1)")
        connection.commit()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tx")
        assert cursor.fetchall() == [(1,)]


def test_metadata(cursor):
    cursor.execute("CREATE OR REPLACE TABLE described (i INT NOT NULL, s VARCHAR)")
    connection = cursor.connection
    found = connection.adbc_get_objects(
        catalog_filter="lake", db_schema_filter="main", table_name_filter="described"
    )
    objects = found.read_all().to_pylist()
    tables = objects[0]["catalog_db_schemas"][0]["db_schema_tables"]
    assert [column["column_name"] for column in tables[0]["table_columns"]] == ["i", "s"]
    schema = connection.adbc_get_table_schema("described")
    assert schema.field("i").type == pa.int32()
    assert not schema.field("i").nullable
    assert connection.adbc_get_info()["vendor_name"] == "ducklake-flight"
    assert "TABLE" in connection.adbc_get_table_types()


def test_a_user_name_and_password_do_no_harm(server):
    options = {"username": "someone", "password": "secret"}
    with server.connect(db_kwargs=options) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]


def test_nothing_of_the_machine_in_errors(server, cursor):
    for query in ("SELECT * FROM read_parquet('nothing.parquet')", "ATTACH 'x.db'", "LOAD nothing"):
        with pytest.raises(Exception) as error:
            cursor.execute(query)
            cursor.fetchall()
        assert str(server.lake) not in str(error.value)
        assert "\tat " not in str(error.value)


def test_a_change_whose_parameter_has_no_type_yet(cursor):
    cursor.execute("CREATE TABLE untyped (i INT)")
    cursor.execute("INSERT INTO untyped SELECT ?", (5,))
    cursor.execute("UPDATE untyped SET i = i + ?", (2,))
    cursor.execute("SELECT i FROM untyped")
    assert cursor.fetchall() == [(7,)]


def test_a_struct_without_names(cursor):
    with pytest.raises(adbc_driver_manager.Error, match="name them"):
        cursor.execute("SELECT row(1, 'x') AS r")


def test_a_default_that_is_computed_for_a_temporary_table(cursor):
    cursor.execute("CREATE TEMP TABLE dated AS FROM range(3)")
    cursor.execute("ALTER TABLE dated ADD COLUMN since TIMESTAMPTZ DEFAULT now()")
    cursor.execute("SELECT count(since) FROM dated")
    assert cursor.fetchall() == [(3,)]
    with pytest.raises(adbc_driver_manager.Error, match="no_such_function"):
        cursor.execute("ALTER TABLE dated ADD COLUMN other INT DEFAULT no_such_function()")
    cursor.execute("SELECT count(*) FROM dated")
    assert cursor.fetchall() == [(3,)]
    cursor.execute("BEGIN")
    cursor.execute("DROP TABLE dated")
    cursor.execute("ROLLBACK")
    cursor.execute("SELECT count(*) FROM dated")
    assert cursor.fetchall() == [(3,)]
