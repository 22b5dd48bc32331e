"""DuckLake's own functions that rewrite the files of a lake."""

import pytest

FILES = [1, 2]


@pytest.fixture
def table(server, cursor):
    """A table of files that DuckLake did not write."""
    cursor.execute("CREATE TABLE rewritten (i INTEGER)")
    for i in FILES:
        path = server.lake / "data" / "exports" / f"added-{i}.parquet"
        cursor.execute(f"COPY (SELECT {i}::INTEGER AS i) TO '{path}'")
        cursor.execute(f"CALL ducklake_add_data_files('lake', 'rewritten', '{path}')")
    yield "rewritten"
    cursor.execute("DROP TABLE rewritten")


@pytest.mark.parametrize(
    "statement",
    [
        "CALL ducklake_merge_adjacent_files('lake', 'rewritten')",
        "SELECT * FROM lake.merge_adjacent_files() WHERE table_name = 'rewritten'",
    ],
)
def test_added_files_are_merged(cursor, table, statement):
    cursor.execute(statement)
    assert [row[1:] for row in cursor.fetchall()] == [(table, 2, 1)]
    cursor.execute(f"FROM {table} ORDER BY i")
    assert cursor.fetchall() == [(i,) for i in FILES]
    cursor.execute("SELECT author FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1")
    assert cursor.fetchall() == [("anonymous",)]


def test_added_files_are_merged_in_a_transaction(cursor, table):
    cursor.execute("BEGIN")
    cursor.execute(f"CALL ducklake_merge_adjacent_files('lake', '{table}')")
    assert [row[1:] for row in cursor.fetchall()] == [(table, 2, 1)]
    cursor.execute("ROLLBACK")
    cursor.execute(f"SELECT count(*) FROM ducklake_list_files('lake', '{table}')")
    assert cursor.fetchall() == [(2,)]


def test_files_without_their_deleted_rows_are_written_anew(cursor, table):
    cursor.execute(f"INSERT INTO {table} SELECT range FROM range(3, 1000)")
    cursor.execute(f"DELETE FROM {table} WHERE i < 999")
    cursor.execute(f"CALL ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0)")
    assert cursor.fetchall()
    cursor.execute(f"FROM {table}")
    assert cursor.fetchall() == [(999,)]


def test_a_failed_rewrite_says_why(cursor):
    with pytest.raises(Exception, match="nowhere"):
        cursor.execute("CALL ducklake_merge_adjacent_files('lake', 'nowhere')")
