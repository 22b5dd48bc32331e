"""Uploads as drivers send them, and as a client should not."""

import adbc_driver_manager
import pyarrow as pa
import pytest


def ingest(cursor, name, data, mode="create"):
    cursor.adbc_ingest(name, data, mode=mode)
    cursor.execute(f"SELECT * FROM {name}")
    return cursor.fetch_arrow_table()


def batches(*columns):
    arrays = [pa.record_batch({"c": column}) for column in columns]
    return pa.RecordBatchReader.from_batches(arrays[0].schema, arrays)


@pytest.mark.parametrize("index", [2, 5, 100_000, 50_000_000, -1])
def test_an_index_outside_of_its_dictionary(server, cursor, index):
    column = pa.DictionaryArray.from_arrays(pa.array([0, index]), ["one", "two"], safe=False)
    with pytest.raises(adbc_driver_manager.Error, match="column c"):
        cursor.adbc_ingest("outside", pa.table({"c": column}), mode="create")
    assert server.process.poll() is None
    cursor.execute("SELECT 1")


def test_dictionaries_that_change_between_batches(cursor):
    columns = [
        pa.array([f"{batch}-{i % 50}" for i in range(1000)]).dictionary_encode() for batch in range(20)
    ]
    result = ingest(cursor, "changing", batches(*columns))
    # The engine takes batches in on several threads: their order is not kept.
    sent = [value for column in columns for value in column.to_pylist()]
    assert sorted(result["c"].to_pylist()) == sorted(sent)


def test_a_dictionary_of_many_values_with_nulls(cursor):
    values = pa.array([None if i == 7 else f"value {i}" for i in range(70_000)])
    indices = pa.array([i * 7 % 70_000 if i % 11 else None for i in range(70_000)], pa.uint32())
    column = pa.DictionaryArray.from_arrays(indices, values)
    result = ingest(cursor, "many", pa.table({"c": column}))
    assert result["c"].to_pylist() == column.to_pylist()


def test_dictionaries_inside_of_other_columns(cursor):
    encoded = pa.array(["a", "b", None, "a"]).dictionary_encode()
    table = pa.table(
        {
            "s": pa.StructArray.from_arrays([encoded, pa.array([1, 2, 3, 4])], ["d", "i"]),
            "l": pa.ListArray.from_arrays(pa.array([0, 1, 1, 3, 4], pa.int32()), encoded),
        }
    )
    result = ingest(cursor, "inside", table)
    assert result.to_pylist() == table.to_pylist()


def test_views_and_runs(cursor):
    texts = ["short", "a text of more than twelve bytes", None, "ü"]
    table = pa.table(
        {
            "v": pa.array(texts, pa.string_view()),
            "b": pa.array([b"x", b"y" * 40, None, b""], pa.binary_view()),
        }
    )
    result = ingest(cursor, "views", table)
    assert result["v"].to_pylist() == texts
    assert result["b"].to_pylist() == [b"x", b"y" * 40, None, b""]


def test_text_that_is_not_utf8(cursor):
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(adbc_driver_manager.Error, match="not UTF-8"):
        cursor.adbc_ingest("latin", pa.table({"c": bad}), mode="create")


def test_parameters_in_a_dictionary(cursor):
    column = pa.array([f"p{i}" for i in range(300)] + [None]).dictionary_encode()
    cursor.execute("CREATE TABLE bound (s VARCHAR)")
    cursor.executemany("INSERT INTO bound VALUES (?)", pa.record_batch({"s": column}))
    cursor.execute("SELECT count(s), count(*), max(s) FROM bound")
    assert cursor.fetchone() == (300, 301, "p99")
