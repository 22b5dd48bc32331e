"""What a client does with a server that is up, each beside the same thing in process."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa

from ducklake_bench import WrongResult
from ducklake_bench.clients import GrpcCalls, RawFlight
from ducklake_bench.data import LOAD_BATCH_ROWS, POINTS, Adbc, InProcess, Source, expect_rows
from ducklake_bench.measure import Case, Samples, calls_per_second, in_blocks, interleave, timed
from ducklake_bench.report import Row, Target

#: Rows in a batch of in-process results: 3.5 MB of lineitem, which is what the server aims at too.
BATCH_ROWS = 20_480

NARROW = "SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber FROM lineitem"

#: Short calls: so many blocks of so many calls, after as many as the JVM needs to compile them.
BLOCKS, BLOCK_CALLS, WARM_UP_CALLS = 10, 40, 1500

RATE_CONNECTIONS = (1, 8, 32)
RATE_SECONDS = 1.0
RATE_TURNS = 3

#: Before the next turn, for what the cancelled query of the last one still does.
SETTLE_S = 0.1


@dataclass(frozen=True)
class Bench:
    """What a workload may use."""

    source: Source
    local: InProcess
    adbc: Adbc
    raw: RawFlight
    uri: str
    repeat: int


Workload = Callable[[Bench], Iterator[Row]]


def lineitem(bench: Bench) -> Iterator[Row]:
    targets = (Target(1.5, from_scale=1), Target(1.7, from_scale=1))
    return _stream(bench, "lineitem", "SELECT * FROM lineitem", targets)


def wide(bench: Bench) -> Iterator[Row]:
    return _stream(bench, "wide", "SELECT * FROM wide", (None, None))


def narrow(bench: Bench) -> Iterator[Row]:
    return _stream(bench, "narrow", NARROW, (None, None))


def _stream(
    bench: Bench, name: str, sql: str, targets: tuple[Target | None, Target | None]
) -> Iterator[Row]:
    table = sql.rpartition(" ")[2]
    rows = bench.source.rows(table)
    size = _expect_same_schema(bench, sql)

    def drained(batches: Iterable[pa.RecordBatch]) -> None:
        found = sum(batch.num_rows for batch in batches)
        if found != rows:
            raise WrongResult(f"{found:,} rows instead of {rows:,} from {sql}")

    def adbc() -> None:
        with bench.adbc.connection.cursor() as cursor:
            cursor.execute(sql)
            drained(cursor.fetch_record_batch())

    samples = interleave(
        {
            "local": timed(lambda: drained(bench.local.stream(sql, BATCH_ROWS))),
            "raw": timed(lambda: drained(bench.raw.stream(sql))),
            "adbc": timed(adbc),
        },
        bench.repeat,
    )
    note = f"{rows:,} rows, {size * rows / 1e6:,.0f} MB"
    yield Row(
        f"{name}, raw Flight", "s", samples["raw"], samples["local"], target=targets[0], note=note
    )
    yield Row(f"{name}, ADBC", "s", samples["adbc"], samples["local"], target=targets[1])


def _expect_same_schema(bench: Bench, sql: str) -> float:
    """The schema is that of in-process DuckDB. Returns the bytes of a row, by the first batch."""
    with bench.local.stream(sql, BATCH_ROWS) as reader:
        batch = reader.read_next_batch()
    stream = bench.raw.stream(sql)
    served = next(stream).schema
    stream.close()
    if not served.equals(batch.schema):
        raise WrongResult(f"schema {served} instead of {batch.schema} from {sql}")
    return batch.nbytes / batch.num_rows


def first_batch(bench: Bench) -> Iterator[Row]:
    sql = "SELECT * FROM lineitem"

    def local() -> float:
        begin = time.perf_counter()
        reader = bench.local.stream(sql, BATCH_ROWS)
        reader.read_next_batch()
        end = time.perf_counter()
        reader.close()
        return end - begin

    def raw() -> float:
        begin = time.perf_counter()
        stream = bench.raw.stream(sql)
        next(stream)
        end = time.perf_counter()
        stream.close()
        return end - begin

    def adbc() -> float:
        with bench.adbc.connection.cursor() as cursor:
            begin = time.perf_counter()
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            reader.read_next_batch()
            end = time.perf_counter()
            reader.close()
        return end - begin

    cases = {"local": _settled(local), "raw": _settled(raw), "adbc": _settled(adbc)}
    samples = _ms(interleave(cases, max(bench.repeat, 5)))
    target = Target(60, of="server", from_scale=1)
    for name, title in (("raw", "raw Flight"), ("adbc", "ADBC")):
        yield Row(
            f"first batch of lineitem, {title}",
            "ms",
            samples[name],
            samples["local"],
            target=target,
        )


def _settled(case: Case) -> Case:
    def settled() -> float:
        time.sleep(SETTLE_S)
        return case()

    return settled


def ingest(bench: Bench) -> Iterator[Row]:
    """Both sides read the same batches out of this process's memory."""
    reader = bench.source.reader("lineitem")
    schema, batches = reader.schema, list(reader)
    rows = sum(batch.num_rows for batch in batches)

    def into(lake: InProcess | Adbc) -> Case:
        def case() -> float:
            os.sync()  # what the last turn left to be written is not this one's
            arriving = pa.RecordBatchReader.from_batches(schema, batches)
            begin = time.perf_counter()
            lake.create("ingested", arriving)
            end = time.perf_counter()
            try:
                expect_rows(lake, "ingested", rows)
            finally:
                lake.drop("ingested")
            return end - begin

        return case

    samples = interleave({"local": into(bench.local), "adbc": into(bench.adbc)}, bench.repeat)
    yield Row(
        "ingest of lineitem, ADBC",
        "s",
        samples["adbc"],
        samples["local"],
        target=Target(1.8, from_scale=1),
        note=f"{rows:,} rows in batches of {LOAD_BATCH_ROWS:,}",
    )


def select_1(bench: Bench) -> Iterator[Row]:
    _expect_rows(bench.adbc.rows("SELECT 1"), [(1,)])
    with GrpcCalls(bench.uri) as calls:

        def four_health_calls() -> None:
            for _ in range(4):
                calls.health()

        samples = _ms(
            in_blocks(
                {
                    "health": timed(four_health_calls),
                    "prepared": timed(lambda: calls.prepared("SELECT 1")),
                    "adbc": timed(lambda: bench.adbc.rows("SELECT 1")),
                    "local": timed(lambda: bench.local.rows("SELECT 1")),
                },
                BLOCKS,
                BLOCK_CALLS,
                WARM_UP_CALLS,
            )
        )
    yield Row(
        "SELECT 1 prepared, grpcio",
        "ms",
        samples["prepared"],
        samples["health"],
        baseline_is="4 bare calls",
        target=Target(2.0),
    )
    yield Row("SELECT 1, ADBC", "ms", samples["adbc"], samples["local"])


def point(bench: Bench) -> Iterator[Row]:
    everything = "SELECT * FROM points ORDER BY id"
    _expect_rows(bench.adbc.rows(everything), bench.local.rows(everything))

    def on(lake: InProcess | Adbc) -> Case:
        numbers = itertools.cycle(range(0, POINTS, 7))

        def query() -> None:
            n = next(numbers)
            found = lake.rows(f"SELECT id, name FROM points WHERE id = {n}")
            _expect_rows(found, [(n, f"name {n}")])

        return timed(query)

    cases = {"local": on(bench.local), "adbc": on(bench.adbc)}
    samples = _ms(in_blocks(cases, BLOCKS, BLOCK_CALLS, WARM_UP_CALLS))
    yield Row("point query on a table of 1,000 rows, ADBC", "ms", samples["adbc"], samples["local"])


def _expect_rows(found: list[tuple], expected: list[tuple]) -> None:
    if found != expected:
        raise WrongResult(f"{str(found)[:200]} instead of {str(expected)[:200]}")


def rate(bench: Bench) -> Iterator[Row]:
    for connections in RATE_CONNECTIONS:
        with ExitStack() as stack:
            clients = [stack.enter_context(GrpcCalls(bench.uri)) for _ in range(connections)]
            samples = interleave(
                {
                    "floor": _rate_case([_two_health_calls(c) for c in clients]),
                    "query": _rate_case([_direct(c) for c in clients]),
                },
                RATE_TURNS,
            )
        yield Row(
            f"SELECT 1 direct, {connections} connection{'s' if connections > 1 else ''}",
            "/s",
            samples["query"],
            samples["floor"],
            baseline_is="2 bare calls",
            note="a rate: the higher, the better" if connections == RATE_CONNECTIONS[0] else "",
        )


def _rate_case(calls: list[Callable[[], object]]) -> Case:
    return lambda: calls_per_second(calls, RATE_SECONDS)


def _two_health_calls(client: GrpcCalls) -> Callable[[], object]:
    def call() -> None:
        client.health()
        client.health()

    return call


def _direct(client: GrpcCalls) -> Callable[[], object]:
    return lambda: client.direct("SELECT 1")


def _ms(samples: dict[str, Samples]) -> dict[str, Samples]:
    return {name: values.scaled(1e3) for name, values in samples.items()}
