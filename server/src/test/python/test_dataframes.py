"""pandas and polars over ADBC connections."""

import datetime

import pandas as pd
import polars as pl
import pytest


@pytest.fixture
def connection(server):
    with server.connect() as connection:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS frames")
        yield connection


POLARS = pl.DataFrame(
    {
        "i": [1, 2, None],
        "s": ["a", None, "ü"],
        "f": [1.5, None, -0.5],
        "d": [datetime.date(2020, 2, 29), None, datetime.date(1969, 12, 31)],
        "t": [datetime.datetime(2020, 2, 29, 1, 2, 3, 4), None, datetime.datetime(1969, 12, 31)],
        "l": [[1], [], None],
    }
)


def test_polars_writes_and_reads(connection):
    written = POLARS.write_database("frames", connection, engine="adbc", if_table_exists="fail")
    assert written == 3
    assert pl.read_database("SELECT * FROM frames", connection).equals(POLARS)
    with pytest.raises(Exception, match="(?i)already exists"):
        POLARS.write_database("frames", connection, engine="adbc", if_table_exists="fail")
    POLARS.write_database("frames", connection, engine="adbc", if_table_exists="append")
    assert pl.read_database("SELECT * FROM frames", connection).height == 6
    POLARS.write_database("frames", connection, engine="adbc", if_table_exists="replace")
    assert pl.read_database("SELECT * FROM frames", connection).height == 3


def test_polars_reads_in_batches_and_with_parameters(connection):
    batches = pl.read_database(
        "SELECT i FROM range(100000) t(i)", connection, iter_batches=True, batch_size=1000
    )
    assert sum(batch.height for batch in batches) == 100_000
    frame = pl.read_database(
        "SELECT ?::INT AS i", connection, execute_options={"parameters": (5,)}
    )
    assert frame["i"].to_list() == [5]


def test_polars_connects_by_itself(server, connection):
    # polars finds the driver by the scheme, and the driver takes TLS where nothing is said.
    uri = f"flightsql://127.0.0.1:{server.port}?transport=tcp"
    assert POLARS.write_database("frames", uri, engine="adbc", if_table_exists="replace") == 3
    assert pl.read_database_uri("SELECT * FROM frames", uri, engine="adbc").equals(POLARS)


PANDAS = pd.DataFrame({"i": [1, 2], "s": ["a", None], "t": pd.to_datetime(["2020-02-29", None])})


def test_pandas_writes_and_reads(connection):
    assert PANDAS.to_sql("frames", connection, index=False, if_exists="fail") == 2
    read = pd.read_sql("SELECT * FROM frames ORDER BY i", connection)
    pd.testing.assert_frame_equal(read, PANDAS, check_dtype=False)
    with pytest.raises(ValueError, match="already exists"):
        PANDAS.to_sql("frames", connection, index=False, if_exists="fail")
    assert PANDAS.to_sql("frames", connection, index=False, if_exists="append") == 2
    assert len(pd.read_sql("frames", connection)) == 4
    assert PANDAS.to_sql("frames", connection, index=False, if_exists="replace") == 2
    assert len(pd.read_sql_table("frames", connection, schema="main")) == 2


def test_pandas_reads_into_arrow_types(connection):
    read = pd.read_sql("SELECT 5::INT AS i", connection, dtype_backend="pyarrow")
    assert read["i"].to_list() == [5]
    assert str(read["i"].dtype) == "int32[pyarrow]"
