"""Who changed the lake, and ingests that happen once."""

import json
import threading

import adbc_driver_manager
import pyarrow as pa
import pytest

HEADER = "adbc.flight.sql.rpc.call_header.idempotency-key"
TABLE = pa.table({"i": pa.array(range(100), pa.int64())})


def rows(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def ingest(connection, table, key, data=TABLE, mode="append"):
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{HEADER: key})
        return cursor.adbc_ingest(table, data, mode=mode)


def test_every_commit_names_its_author(server):
    with server.connect() as connection, connection.cursor() as cursor:
        before = rows(connection, "SELECT max(snapshot_id) FROM lake.snapshots()")[0][0]
        cursor.execute("CREATE TABLE audited (i INT)")
        cursor.execute("INSERT INTO audited VALUES (1)")
        cursor.executemany("INSERT INTO audited VALUES (?)", [(2,), (3,)])
        cursor.execute("WITH x AS (SELECT 4 AS i) INSERT INTO audited FROM x")
        cursor.execute("UPDATE audited SET i = i + 1")
        cursor.adbc_ingest("audited", pa.table({"i": pa.array([9], pa.int32())}), mode="append")
        cursor.execute("CREATE TEMP TABLE unseen AS SELECT 1 AS i")
        cursor.execute("ALTER TABLE audited ADD COLUMN s VARCHAR")
        cursor.execute("BEGIN")
        cursor.execute("DELETE FROM audited WHERE i = 2")
        cursor.execute("COMMIT")
        cursor.execute("DROP TABLE audited")
        commits = rows(
            connection,
            "SELECT author, commit_message, commit_extra_info FROM lake.snapshots()"
            f" WHERE snapshot_id > {before} ORDER BY snapshot_id",
        )
    assert [commit[1] for commit in commits] == [
        "create", "insert", "insert", "with", "update", "ingest", "alter", "commit", "drop",
    ]  # fmt: skip
    assert {commit[0] for commit in commits} == {"anonymous"}
    ids = [json.loads(commit[2])["query_id"] for commit in commits]
    assert len(set(ids)) == len(ids) and all(len(one) == 32 for one in ids)


def test_a_repeated_ingest_changes_nothing(server):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE once_only (i BIGINT)")
        assert ingest(connection, "once_only", "key-1") == 100
        assert ingest(connection, "once_only", "key-1") == 100
        assert rows(connection, "SELECT count(*) FROM once_only") == [(100,)]
        assert ingest(connection, "once_only", "key-2") == 100
        assert ingest(connection, "once_only", 'a "quoted" key\\') == 100
        assert ingest(connection, "once_only", 'a "quoted" key\\') == 100
        assert rows(connection, "SELECT count(*) FROM once_only") == [(300,)]
        with pytest.raises(adbc_driver_manager.Error, match="used for an ingest into"):
            ingest(connection, "another", "key-1", mode="create")


def test_a_failed_ingest_leaves_its_key_unused(server):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE retried (i BIGINT)")
        with pytest.raises(adbc_driver_manager.Error):
            ingest(connection, "retried", "key-3", pa.table({"j": [1]}))
        assert ingest(connection, "retried", "key-3") == 100
        assert rows(connection, "SELECT count(*) FROM retried") == [(100,)]


def test_ingests_with_one_key_at_the_same_time(server):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE raced (i BIGINT)")
        counts = []

        def one():
            with server.connect() as own:
                counts.append(ingest(own, "raced", "key-4"))

        threads = [threading.Thread(target=one) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [100] * 8
        assert rows(connection, "SELECT count(*) FROM raced") == [(100,)]
