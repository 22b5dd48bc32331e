"""The runner of logic tests, shown to pass what is right and to fail what is not."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

GOOD = """
# a comment
require json

require vector_size 512

statement ok
CREATE TABLE t (i INTEGER, s VARCHAR, d DOUBLE, b BOOLEAN)

statement ok
INSERT INTO t VALUES (1, 'one', 0.1, true), (2, '', NULL, false), (3, NULL, 1e300, NULL);

query ITRT
FROM t ORDER BY i
----
1	one	0.1	true
2	(empty)	NULL	0
3	NULL	1e300	NULL

query IT nosort
SELECT i, s FROM t WHERE i < 3 ORDER BY i
----
1
one
2
(empty)

query I valuesort
SELECT i FROM t
----
1
2
3

query I nosort same
SELECT sum(i) FROM t

query I nosort same
SELECT 6

query I
SELECT range FROM range(100)
----
100 values hashing to 9a10f4f09341c2db76a16b44f841c551

query TTT
SELECT [1, NULL], {'a': DATE '2020-01-01'}, 1.50::DECIMAL(9,2)
----
[1, NULL]	{'a': 2020-01-01}	1.5

query T
SELECT 'a long text'
----
<REGEX>:a.*text

query T
SELECT 'another'
----
<!REGEX>:a.*text

statement error
SELECT missing FROM t
----
Binder Error: Referenced column "missing" not found

statement error
SELECT 1 +
----
<REGEX>:.*Parser Error.*end of input.*

statement maybe
SELECT 'whatever'

foreach kind <signed> !hugeint DOUBLE

loop i 0 2

onlyif i=1
query I
SELECT typeof({i}::{kind}) = upper('${kind}')
----
true

endloop

endloop

statement ok con1
BEGIN

statement ok con1
INSERT INTO t (i) VALUES (4); INSERT INTO t (i) VALUES (5);

query I
SELECT count(*) FROM t
----
3

query I con1
SELECT count(*) FROM t
----
5

statement ok con1
ROLLBACK

mode skip

query I
SELECT 'not run'
----
1

mode unskip

skipif duckdb
query I
SELECT 'nor this'
----
1

statement ok
COPY t TO '__TEST_DIR__/t.parquet'

query I
SELECT count(*) FROM '__TEST_DIR__/t.parquet'
----
3

halt

query I
SELECT 'nor that'
----
1
"""

BAD = """
query I
SELECT 1
----
2

query II
SELECT 1, 2
----
1	2
3	4

query I
SELECT 1, 2
----
1

query I
SELECT unnest([1, 2])
----
2
1

statement ok
SELECT no_such_function()

statement error
SELECT 1
----

statement error
SELECT missing
----
another text

query I
SELECT 1
----
1 values hashing to 00000000000000000000000000000000

statement ok
ATTACH ':memory:' AS another

query I
SELECT 41 + 1
----
42
"""

# What no two processes have in common is what only the server can be wrong about.
OTHERS = """
query T
SELECT len(range(2000000))
----
7
"""

SKIPPED = """
require spatial

statement ok
SELECT 1
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    home = tmp_path_factory.mktemp("logic")
    texts = {"good": GOOD, "bad": BAD, "others": OTHERS, "skipped": SKIPPED}
    for name, text in texts.items():
        (home / f"{name}.test").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "ducklake_logic", home, "--root", home, "--json", home / "out.json"],
        cwd=ROOT / "bench",
        capture_output=True,
        text=True,
        timeout=120,
    )
    report = json.loads((home / "out.json").read_text())
    return done, {file["file"].removesuffix(".test"): file for file in report["files"]}, report


def test_what_is_right_passes(ran):
    _, files, _ = ran
    assert files["good"]["kind"] == "passed", files["good"]["findings"]
    assert files["good"]["as_expected"] == files["good"]["statements"] == 26


def test_what_is_wrong_does_not(ran):
    _, files, _ = ran
    found = [(finding["failure"], finding["kind"]) for finding in files["bad"]["findings"]]
    assert found == [
        ("values", "engine"),
        ("rows", "engine"),
        ("columns", "engine"),
        ("order", "engine"),
        ("error", "engine"),
        ("no error", "engine"),
        ("other error", "engine"),
        ("hash", "engine"),
        ("error", "refused"),
    ]
    assert files["bad"]["as_expected"] == 1


def test_what_only_the_server_gives_fails_the_run(ran):
    done, files, report = ran
    assert files["others"]["kind"] == "differs"
    assert "differs: others.test:2: SELECT len(range(2000000))" in done.stdout
    assert done.returncode == 1, done.stderr
    assert report["summary"]["by kind"] == {
        "passed": 1,
        "skipped": 1,
        "differs": 1,
        "refused": 1,
    }


def test_what_cannot_be_run_is_skipped_with_its_reason(ran):
    _, files, _ = ran
    assert (files["skipped"]["kind"], files["skipped"]["reason"]) == ("skipped", "require spatial")
