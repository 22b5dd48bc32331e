"""The commands sql, ingest and health, as a shell user runs them."""

import gzip
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from conftest import LAUNCHER, ROOT

ROW = (
    "SELECT 1 AS i, 'a,\"b' AS s, NULL AS n, '' AS e, 1.50::DECIMAL(5,2) AS d, [1, NULL] AS l,"
    " {'k': DATE '2020-01-01'} AS t, 'x'::ENUM('x') AS en, 'nan'::DOUBLE AS f"
)


def run(server, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LAUNCHER, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "FLIGHT_URL": server.uri},
    )


def test_table(server):
    done = run(server, "sql", ROW)
    assert done.returncode == 0, done.stderr
    head, line, row, count = done.stdout.splitlines()
    assert head.split(" | ")[0] == "i"
    assert set(line) <= {"-", "+"}
    assert "NULL" in row and "[1, NULL]" in row and "{'k': 2020-01-01}" in row
    assert count == "(1 row)"


def test_table_is_aligned_and_streams_beyond_what_it_measured(server):
    done = run(server, "sql", "SELECT i, repeat('x', i % 3) AS s FROM range(5000) t(i)")
    lines = done.stdout.splitlines()
    assert lines[-1] == "(5000 rows)"
    assert lines[2] == "  0 |"
    assert lines[1001:1004] == ["999 |", "1000 | x", "1001 | xx"]


def test_csv(server):
    done = run(server, "sql", "--format", "csv", "SELECT 1 AS i, 'a,\"b' AS s, NULL AS n, '' AS e")
    assert done.stdout == 'i,s,n,e\n1,"a,""b",,""\n'  # read with universal newlines


def test_json(server):
    done = run(server, "sql", "--format", "json", ROW + " UNION ALL " + ROW)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    assert rows[0] == {
        "i": 1, "s": 'a,"b', "n": None, "e": "", "d": 1.5, "l": [1, None],
        "t": {"k": "2020-01-01"}, "en": "x", "f": None,
    }  # fmt: skip


def test_arrow(server):
    done = subprocess.run(
        [*LAUNCHER, "sql", "--url", server.uri, "--format", "arrow", "SELECT * FROM range(9)"],
        capture_output=True,
        timeout=60,
    )
    assert pa.ipc.open_stream(done.stdout).read_all().num_rows == 9


def test_several_statements_from_standard_input(server):
    script = "CREATE OR REPLACE TABLE cli (i INT); -- a; comment\nINSERT INTO cli VALUES (1);"
    done = run(server, "sql", stdin=script + "SELECT ';' AS s")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == ["OK", "1 row changed"]
    assert done.stdout.splitlines()[4] == ";"


def test_a_file_of_statements_ends_at_the_first_error(server, tmp_path):
    file = tmp_path / "script.sql"
    file.write_text("SELECT 1;\nSELECT nope;\nCREATE TABLE never (i INT);")
    done = run(server, "sql", "-f", str(file))
    assert done.returncode == 1
    assert done.stderr.startswith("statement 2: Binder Error")
    assert run(server, "sql", "FROM never").returncode == 1


def test_errors(server):
    refused = run(server, "sql", "selec 1")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "LINE 1: selec 1" in refused.stderr
    assert "\tat " not in refused.stderr
    assert run(server, "sql", "--url", "nonsense", "SELECT 1").returncode == 64
    away = run(server, "sql", "--url", "grpc://127.0.0.1:1", "SELECT 1")
    assert away.returncode == 69
    assert len(away.stderr.splitlines()) == 1
    assert run(server, "sql", "--format", "xml", "SELECT 1").returncode == 64


def test_health(server):
    assert run(server, "health").returncode == 0
    assert run(server, "health", "--url", "grpc://127.0.0.1:1").returncode == 69


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "jsonl", "parquet", "arrow", "arrows"])
def test_ingest(server, tmp_path, kind):
    table = pa.table({"i": range(1000), "s": [f"row {i}" for i in range(1000)]})
    file = tmp_path / f"rows.{kind}"
    if kind.startswith("csv"):
        text = "i,s\n" + "".join(f"{i},row {i}\n" for i in range(1000))
        file.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    elif kind == "json":
        file.write_text(json.dumps(table.to_pylist()))
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps(row) for row in table.to_pylist()))
    elif kind == "parquet":
        pyarrow.parquet.write_table(table, file)
    elif kind == "arrow":
        pyarrow.feather.write_feather(table, file, compression="uncompressed")
    else:
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    done = run(server, "ingest", "--mode", "replace", str(file), "main.cli_rows")
    assert done.stdout == "1000 rows ingested into main.cli_rows\n", done.stderr
    assert done.stderr == ""
    count = run(server, "sql", "--format", "csv", "SELECT count(*), max(i), max(s) FROM cli_rows")
    assert count.stdout.splitlines()[1] == "1000,999,row 999"


def test_ingest_errors(server, tmp_path):
    assert run(server, "ingest", str(tmp_path / "none.csv"), "t").returncode == 64
    odd = tmp_path / "rows.odd"
    odd.write_text("i\n1\n")
    assert run(server, "ingest", str(odd), "t").returncode == 64
    done = run(server, "ingest", "--input-format", "csv", "--mode", "replace", str(odd), "cli_odd")
    assert done.returncode == 0
    again = run(server, "ingest", "--input-format", "csv", str(odd), "cli_odd")
    assert again.returncode == 1
    assert "already exists" in again.stderr
    broken = tmp_path / "rows.parquet"
    broken.write_text("no parquet")
    assert run(server, "ingest", str(broken), "t").returncode == 1
    (tmp_path / "bad.csv").write_text("i,s\n" + "1,a\n" * 50_000 + "x,b\n" * 10)
    assert run(server, "ingest", str(tmp_path / "bad.csv"), "cli_bad").returncode == 1
    assert run(server, "sql", "FROM cli_bad").returncode == 1


def test_a_reader_that_goes_ends_the_statement(server):
    for form in ("table", "csv", "json", "arrow"):
        command = [*LAUNCHER, "sql", "--url", server.uri, "--format", form]
        with subprocess.Popen(
            [*command, "SELECT i, 'row ' || i AS s FROM range(10_000_000_000) t(i)"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdout.read(10)
            process.stdout.close()
            try:
                assert process.wait(timeout=30) == 141, form
                assert process.stderr.read() == b"", form
            finally:
                process.kill()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
@pytest.mark.parametrize("form", ["table", "csv", "json", "arrow"])
def test_a_full_disk_is_an_error(server, form):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*LAUNCHER, "sql", "--url", server.uri, "--format", form, "SELECT 1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("the result cannot be written: ")


def test_arrow_with_enums(server):
    query = (
        "SELECT if(i % 2 = 0, 'ok', NULL)::ENUM('no', 'ok') AS e,"
        " {'k': 'no'::ENUM('no', 'ok')} AS s, ['ok'::ENUM('no', 'ok')] AS l"
        " FROM range(100_000) t(i)"
    )
    for where, count in (("", 100_000), (" WHERE i < 0", 0)):
        done = subprocess.run(
            [*LAUNCHER, "sql", "--url", server.uri, "--format", "arrow", query + where],
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        table = pa.ipc.open_stream(done.stdout).read_all()
        assert table.num_rows == count
        assert pa.types.is_dictionary(table.schema.field("e").type)
        if count:
            assert table.slice(0, 2).to_pylist() == [
                {"e": "ok", "s": {"k": "no"}, "l": ["ok"]},
                {"e": None, "s": {"k": "no"}, "l": ["ok"]},
            ]


def test_control_characters_do_not_reach_a_terminal(server):
    query = "SELECT chr(27) || '[31m' AS s"
    assert "\\u001b[31m" in run(server, "sql", query).stdout
    assert "\x1b[31m" in run(server, "sql", "--format", "csv", query).stdout
    assert '"\\u001B[31m"' in run(server, "sql", "--format", "json", query).stdout
    refused = run(server, "sql", "SELECT (chr(27) || '[31m')::INT")
    assert refused.returncode == 1
    assert "\x1b" not in refused.stderr


def test_json_of_all_kinds_of_values(server):
    query = (
        "SELECT TIMESTAMP '2024-01-01' AS t, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS tz,"
        " INTERVAL '14 months 3 days 90 minutes' AS iv, 1 AS a, 2 AS a, 3 AS a, 4 AS a_1,"
        " 9223372036854775807 AS i, 18446744073709551615::UBIGINT AS u, -170141183460469231731::HUGEINT AS h,"
        " 'inf'::DOUBLE AS f, 'abc'::BLOB AS b, [{'k': [1]}] AS l, MAP {1: 'x'} AS m, TIME '12:00' AS c"
    )
    done = run(server, "sql", "--format", "json", query)
    assert json.loads(done.stdout) == {
        "t": "2024-01-01T00:00:00", "tz": "2024-01-01T00:00:00Z", "iv": "P1Y2M3DT1H30M",
        "a": 1, "a_2": 2, "a_3": 3, "a_1": 4, "i": 9223372036854775807, "u": 18446744073709551615,
        "h": -170141183460469231731, "f": None, "b": "YWJj", "l": [{"k": [1]}], "m": {"1": "x"},
        "c": "12:00:00",
    }  # fmt: skip


def test_changes_are_counted(server):
    script = (
        "CREATE OR REPLACE TABLE cli_changes (i INT); INSERT INTO cli_changes VALUES (1), (2);"
        "DELETE FROM cli_changes WHERE i = 1; /* none */ DELETE FROM cli_changes WHERE i = 1;"
        "UPDATE cli_changes SET i = 3 WHERE false; DROP TABLE cli_changes"
    )
    assert run(server, "sql", stdin=script).stdout.splitlines() == [
        "OK", "2 rows changed", "1 row changed", "0 rows changed", "0 rows changed", "OK",
    ]  # fmt: skip


def test_servers_that_are_not_there(server):
    away = [
        ("grpc://no-such-host.invalid:1", "the name of the host is not known"),
        ("grpc+tls://127.0.0.1:1", "no server answers at"),
        (server.uri.replace("grpc:", "grpc+tls:"), "does not speak TLS"),
    ]
    for url, text in away:
        for command in (["sql", "SELECT 1"], ["health"]):
            done = run(server, *command, "--url", url)
            assert done.returncode == 69, (command, url)
            assert text in done.stderr
            assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("locale", ["C", "POSIX", ""])
def test_other_characters_than_ascii_in_any_locale(server, start, locale):
    environment = {"LC_ALL": locale, "LC_CTYPE": "", "LANG": ""}
    done = subprocess.run(
        [*LAUNCHER, "sql", "--url", server.uri, "SELECT 'é✓' AS \"日本\", nö"],
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert '"nö" was not found' in done.stderr.decode()
    done = subprocess.run(
        [*LAUNCHER, "sql", "--url", server.uri, "SELECT 'é✓' AS \"日本\""],
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.stdout.decode().splitlines()[::2] == ["日本", "é✓"]
    assert start(environment=environment).wait().lines[0] == "✓ DuckLake catalog configured"


def pairs(server, columns: str, table: str) -> list[str]:
    done = run(server, "sql", "--format", "csv", f"SELECT {columns} FROM {table} ORDER BY ALL")
    return done.stdout.splitlines()[1:]


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_ingest_of_feather_files(server, tmp_path, compression):
    words = pa.array([f"word {i % 5}" if i % 7 else None for i in range(100_000)])
    table = pa.table({"i": range(100_000), "w": words, "d": words.dictionary_encode()})
    file = tmp_path / "rows.feather"
    pyarrow.feather.write_feather(table, file, compression=compression)
    done = run(server, "ingest", "--mode", "replace", str(file), "cli_feather")
    assert (done.returncode, done.stderr) == (0, "")
    columns = "count(*), sum(i), count(d), count_if(d IS DISTINCT FROM w)"
    assert pairs(server, columns, "cli_feather") == ["100000,4999950000,85714,0"]


def encoded(indices: list, words: list) -> pa.RecordBatch:
    """A column of a dictionary, also inside of others."""
    column = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(words))
    return pa.record_batch(
        {
            "d": column,
            "s": pa.StructArray.from_arrays([column], ["k"]),
            "l": pa.ListArray.from_arrays(list(range(len(indices) + 1)), column),
        }
    )


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_ingest_of_dictionaries_that_change(server, tmp_path, compression):
    batches = [
        encoded([0, 1, None], ["a", "b"]),
        encoded([2, 1, 0], ["ccc", "dd", "e"]),
        encoded([0, 0, 0], ["x"]),
    ]
    file = tmp_path / "rows.arrows"
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(file, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    done = run(server, "ingest", "--mode", "replace", str(file), "cli_words")
    assert done.stdout == "9 rows ingested into cli_words\n", done.stderr
    assert pairs(server, "d, s.k, l[1]", "cli_words") == [
        "a,a,a", "b,b,b", "ccc,ccc,ccc", "dd,dd,dd", "e,e,e", "x,x,x", "x,x,x", "x,x,x", ",,",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["arrow", "arrows"])
def test_ingest_of_dictionaries_that_grow(server, tmp_path, kind):
    batches = [
        encoded([0, 1], ["a", "b"]).select(["d"]),
        encoded([2, 0], ["a", "b", "ccc"]).select(["d"]),
        encoded([3, None], ["a", "b", "ccc", "dddd"]).select(["d"]),
    ]
    file = tmp_path / f"rows.{kind}"
    create = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with create(file, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
        assert writer.stats.num_dictionary_deltas == 2
    done = run(server, "ingest", "--mode", "replace", str(file), "cli_words")
    assert done.stdout == "6 rows ingested into cli_words\n", done.stderr
    assert pairs(server, "d", "cli_words") == ["a", "a", "b", "ccc", "dddd", ""]


def test_arrow_files_that_are_none(server, tmp_path):
    whole = tmp_path / "whole.feather"
    pyarrow.feather.write_feather(pa.table({"i": range(10_000)}), whole)
    broken = {
        "text": b"this is no file of Arrow's",
        "empty": b"",
        "half": whole.read_bytes()[:1_000],
        "magic": b"ARROW1\0\0" + b"\x07" * 40,
        "stream": b"\xff\xff\xff\xff\x10\0\0\0" + b"\x07" * 40,
    }
    for name, content in broken.items():
        file = tmp_path / f"{name}.arrow"
        file.write_bytes(content)
        done = run(server, "ingest", str(file), "never")
        assert done.returncode == 1, (name, done.stderr)
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith(str(file)), done.stderr
    assert run(server, "ingest", str(tmp_path), "never", "--input-format", "csv").returncode == 64
    assert run(server, "sql", "FROM never").returncode == 1


def test_the_quickstart_example_prints_what_it_says(server):
    done = subprocess.run(
        [sys.executable, str(ROOT / "client-examples" / "quickstart.py")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "FLIGHT_URL": server.uri},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "4 rows loaded",
        "{'city': ['Pune', 'Lima'], 'people': [3124, 10092]}",
    ]
