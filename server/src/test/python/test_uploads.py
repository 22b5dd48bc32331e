"""Uploads as drivers send them, and as a client should not."""

import decimal

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


def test_numbers_of_types_that_the_engine_has_not(server, cursor):
    halves = pa.array([1.5, None, float("inf")], pa.float16())
    # 99 * 10^2 in a type of two digits: made from its unscaled value, which Python has no way to write.
    hundreds = pa.Array.from_buffers(
        pa.decimal128(2, -2),
        3,
        [pa.py_buffer(b"\x05"), pa.py_buffer(b"".join(n.to_bytes(16, "little", signed=True) for n in (99, 0, -10)))],
    )
    table = pa.table({"h": halves, "d": hundreds, "l": pa.ListArray.from_arrays([0, 1, 1, 3], hundreds)})
    result = ingest(cursor, "widened", table)
    assert [str(type_) for type_ in result.schema.types[:2]] == ["float", "decimal128(4, 0)"]
    assert result["h"].to_pylist() == [1.5, None, float("inf")]
    assert result["d"].to_pylist() == [9900, None, -1000]
    assert result["l"].to_pylist() == [[9900], [], [None, -1000]]
    bound = pa.record_batch({"h": halves.slice(0, 1), "d": hundreds.slice(0, 1)})
    cursor.execute("SELECT ?::FLOAT, ?::DECIMAL(9, 0)", bound)
    assert cursor.fetchone() == (1.5, 9900)
    wide = pa.Array.from_buffers(pa.decimal128(38, -1), 1, [None, pa.py_buffer(bytes(16))])
    with pytest.raises(adbc_driver_manager.NotSupportedError, match="column d"):
        cursor.adbc_ingest("wide", pa.table({"d": wide}), mode="create")


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


DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (pa.time64("us"), 2**62),
        (pa.time64("us"), -1),
        (pa.time64("us"), DAY * 10**6 + 1),
        (pa.time64("ns"), -(2**62)),
        (pa.time32("s"), -(2**31)),
        (pa.time32("s"), 100 * 3600),
        (pa.time32("ms"), -5),
        (pa.date64(), -(2**63)),
    ],
)
@pytest.mark.parametrize("temporary", [False, True])
def test_times_outside_of_a_day(server, cursor, type_, value, temporary):
    raw = pa.int32() if type_.bit_width == 32 else pa.int64()
    stored = temporary or type_ != pa.time64("ns")
    refusal = "row 1 of column c is not" if stored else "nanoseconds, which DuckLake cannot store"
    column = pa.array([0, value], raw).view(type_)
    with pytest.raises(adbc_driver_manager.Error, match=refusal):
        cursor.adbc_ingest("times", pa.table({"c": column}), mode="create", temporary=temporary)
    assert server.process.poll() is None


def test_decimals_with_more_digits_than_their_type(cursor):
    def decimals(unscaled, precision):
        data = b"".join(value.to_bytes(16, "little", signed=True) for value in unscaled)
        return pa.Array.from_buffers(
            pa.decimal128(precision, 2), len(unscaled), [None, pa.py_buffer(data)]
        )

    for unscaled, precision in [
        ([10**9], 9), ([-(10**9)], 9), ([10**20], 20), ([-(10**38)], 38), ([-(2**127)], 38),
    ]:  # fmt: skip
        with pytest.raises(adbc_driver_manager.Error, match="is not a decimal of"):
            cursor.adbc_ingest("digits", pa.table({"c": decimals(unscaled, precision)}), mode="create")
    most = [10**38 - 1, -(10**38) + 1, 0, -1]
    result = ingest(cursor, "digits", pa.table({"c": decimals(most, 38)}))
    with decimal.localcontext(prec=50):
        assert sorted(int(value * 100) for value in result["c"].to_pylist()) == sorted(most)


def named(name, array, metadata=b""):
    field = pa.field(
        "c",
        array.type,
        metadata={b"ARROW:extension:name": name, b"ARROW:extension:metadata": metadata},
    )
    return pa.table([array], schema=pa.schema([field]))


def test_names_of_extension_types_that_do_not_fit_are_taken_off(cursor):
    for number, (name, array, metadata) in enumerate(
        [
            (b"arrow.uuid", pa.array([1, 2, 3], pa.int8()), b""),
            (b"arrow.json", pa.array([1, 2, 3], pa.int32()), b""),
            (b"arrow.opaque", pa.array([b"a", b"b", b"c"], pa.binary(1)),
             b'{"type_name":"hugeint","vendor_name":"DuckDB"}'),
            (b"arrow.opaque", pa.array([2**62] * 3, pa.int64()),
             b'{"type_name":"time_tz","vendor_name":"DuckDB"}'),
        ]
    ):  # fmt: skip
        result = ingest(cursor, f"named{number}", named(name, array, metadata))
        assert sorted(result["c"].to_pylist()) == sorted(array.to_pylist())
    uuid = pa.array([bytes(range(16))], pa.binary(16))
    cursor.adbc_ingest("uuids", named(b"arrow.uuid", uuid), mode="create")
    cursor.execute("SELECT c::VARCHAR FROM uuids")
    assert cursor.fetchone() == ("00010203-0405-0607-0809-0a0b0c0d0e0f",)


def test_wide_values_of_fixed_size_need_their_bytes(server, cursor):
    width = 8192
    short = pa.Array.from_buffers(pa.binary(width), 1000, [None, pa.py_buffer(b"x" * width * 1000)])
    assert ingest(cursor, "wide", pa.table({"c": short})).num_rows == 1000


@pytest.mark.parametrize("mode", ["create", "replace", "create_append"])
def test_times_that_the_lake_cannot_store_are_refused(cursor, mode):
    times = pa.array(range(100), pa.time64("ns"))
    for data in (pa.table({"t": times}), pa.table({"t": pa.StructArray.from_arrays([times], ["x"])})):
        with pytest.raises(adbc_driver_manager.Error, match='column "t" has times in nanoseconds'):
            cursor.adbc_ingest("finest", data, mode=mode)
    data = pa.table({"t": times.cast(pa.time64("us"), safe=False)})
    assert cursor.adbc_ingest("finest", data, mode=mode) == 100
    cursor.execute("DROP TABLE finest")
