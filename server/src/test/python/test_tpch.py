"""TPC-H at scale 0.1: ingested over the wire from this process, all 22 queries compared."""

import pathlib
import platform
import sys

import duckdb
import pytest

SCALE = 0.1
TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]


def extension(name: str) -> str:
    system = "osx" if sys.platform == "darwin" else "linux"
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64"
    home = pathlib.Path.home() / ".cache" / "ducklake-flight" / "extensions"
    return str(home / f"v{duckdb.__version__}" / f"{system}_{machine}" / f"{name}.duckdb_extension")


@pytest.fixture(scope="module")
def local():
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"LOAD '{extension('tpch')}'")
        connection.execute(f"CALL dbgen(sf = {SCALE})")
        yield connection


@pytest.fixture(scope="module")
def remote(server, local):
    with server.connect() as connection, connection.cursor() as cursor:
        for table in TABLES:
            rows = local.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            reader = local.execute(f"FROM {table}").to_arrow_reader(50_000)
            assert cursor.adbc_ingest(table, reader, mode="create") == rows
        yield cursor


def queries() -> list[int]:
    return list(range(1, 23))


@pytest.mark.parametrize("number", queries())
def test_query(local, remote, number):
    text = local.execute(
        "SELECT query FROM tpch_queries() WHERE query_nr = ?", [number]
    ).fetchone()[0]
    expected = local.execute(text.rstrip().rstrip(";")).to_arrow_table()
    remote.execute(text)
    actual = remote.fetch_arrow_table()
    assert actual.schema.remove_metadata() == expected.schema.remove_metadata()
    assert actual.num_rows == expected.num_rows
    for name in expected.schema.names:
        left, right = actual.column(name).to_pylist(), expected.column(name).to_pylist()
        if isinstance(right[0] if right else None, float):
            assert left == pytest.approx(right, rel=1e-9)
        else:
            assert left == right
