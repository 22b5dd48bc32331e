"""What a client does with a server that is up, each beside the same thing in process."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pyarrow as pa

from ducklake_bench import WrongResult, small_calls
from ducklake_bench.clients import GrpcCalls, RawFlight
from ducklake_bench.data import (
    BATCH_ROWS,
    LOAD_BATCH_ROWS,
    POINTS,
    Adbc,
    InProcess,
    Source,
    expect_rows,
)
from ducklake_bench.measure import Case, Samples, in_blocks, interleave, timed
from ducklake_bench.peers import Peer
from ducklake_bench.report import Row, Target
from ducklake_bench.small_calls import SmallCalls
from ducklake_bench.subprocesses import Helper

LINEITEM = "SELECT * FROM lineitem"
NARROW = "SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber FROM lineitem"

#: What a dashboard asks again and again.
REPEATED = """
    SELECT l_returnflag, l_linestatus, sum(l_quantity) AS quantity,
           sum(l_extendedprice * (1 - l_discount)) AS revenue, count(*) AS lines
    FROM lineitem
    WHERE l_shipdate <= DATE '1998-09-02'
    GROUP BY ALL
    ORDER BY ALL"""
REPEATS = 20

#: SELECT 1 beside clients that drain lineitem: so many blocks of calls, after a while of draining.
DRAINS = 4
FAIR_BLOCKS, FAIR_CALLS = 5, 100
DRAIN_BEFORE_S = 0.5

#: Short calls: so many blocks of so many calls, after as many as the JVM needs to compile them.
BLOCKS, BLOCK_CALLS, WARM_UP_CALLS = 10, 40, 1500

RATE_CONNECTIONS = (1, 8, 32, 128)
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
    #: By table, those that have it, by name.
    peers: Mapping[str, Mapping[str, Peer]]


Workload = Callable[[Bench], Iterator[Row]]


def lineitem(bench: Bench) -> Iterator[Row]:
    raw = (Target(1.15, from_scale=1), Target(0.85, of="pyarrow", from_scale=1))
    return _stream(bench, "lineitem", LINEITEM, raw, (Target(1.35, from_scale=1),))


def wide(bench: Bench) -> Iterator[Row]:
    return _stream(bench, "wide", "SELECT * FROM wide", (Target(1.1, from_scale=1),))


def narrow(bench: Bench) -> Iterator[Row]:
    raw = (Target(1.4, from_scale=1), Target(1.0, of="pyarrow", from_scale=1))
    return _stream(bench, "narrow", NARROW, raw)


def _stream(
    bench: Bench,
    name: str,
    sql: str,
    raw_targets: tuple[Target, ...],
    adbc_targets: tuple[Target, ...] = (),
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

    def from_peer(peer: Peer) -> Case:
        return timed(lambda: drained(peer.stream(sql)))

    samples = interleave(
        {
            "local": timed(lambda: drained(bench.local.stream(sql, BATCH_ROWS))),
            "raw": timed(lambda: drained(bench.raw.stream(sql))),
            "adbc": timed(adbc),
            **_peer_cases(bench, table, from_peer),
        },
        bench.repeat,
    )
    note = f"{rows:,} rows, {size * rows / 1e6:,.0f} MB"
    yield Row(
        f"{name}, raw Flight",
        "s",
        samples["raw"],
        samples["local"],
        targets=raw_targets,
        note=note,
        peers=_of_peers(bench, table, samples),
    )
    yield Row(f"{name}, ADBC", "s", samples["adbc"], samples["local"], targets=adbc_targets)


def _peer_cases(bench: Bench, table: str, case: Callable[[Peer], Case]) -> dict[str, Case]:
    return {f"peer {name}": case(peer) for name, peer in bench.peers[table].items()}


def _of_peers(bench: Bench, table: str, samples: dict[str, Samples]) -> dict[str, Samples]:
    return {name: samples[f"peer {name}"] for name in bench.peers[table]}


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
    sql = LINEITEM

    def local() -> float:
        begin = time.perf_counter()
        reader = bench.local.stream(sql, BATCH_ROWS)
        reader.read_next_batch()
        end = time.perf_counter()
        reader.close()
        return end - begin

    def raw(server: RawFlight | Peer) -> Case:
        def case() -> float:
            begin = time.perf_counter()
            stream = server.stream(sql)
            next(stream)
            end = time.perf_counter()
            stream.close()
            return end - begin

        return _settled(case)

    def adbc() -> float:
        with bench.adbc.connection.cursor() as cursor:
            begin = time.perf_counter()
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            reader.read_next_batch()
            end = time.perf_counter()
            reader.close()
        return end - begin

    cases = {
        "local": _settled(local),
        "raw": raw(bench.raw),
        "adbc": _settled(adbc),
        **_peer_cases(bench, "lineitem", raw),
    }
    samples = _ms(interleave(cases, max(bench.repeat, 5)))
    target = Target(1.2, from_scale=1)
    for name, title in (("raw", "raw Flight"), ("adbc", "ADBC")):
        yield Row(
            f"first batch of lineitem, {title}",
            "ms",
            samples[name],
            samples["local"],
            targets=(target,),
            peers=_of_peers(bench, "lineitem", samples) if name == "raw" else {},
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
        targets=(Target(1.3, from_scale=1),),
        note=f"{rows:,} rows in batches of {LOAD_BATCH_ROWS:,}",
    )


def select_1(bench: Bench) -> Iterator[Row]:
    _expect_rows(bench.adbc.rows("SELECT 1"), [(1,)])
    with closing(SmallCalls(bench.uri)) as client:
        whats = ("health", "prepared", "prepared-new")
        for what in whats:
            client.times(what, WARM_UP_CALLS)
        calls = _ms(small_calls.samples(client, whats, BLOCKS, BLOCK_CALLS))
    samples = _ms(
        in_blocks(
            {
                "adbc": timed(lambda: bench.adbc.rows("SELECT 1")),
                "local": timed(lambda: bench.local.rows("SELECT 1")),
            },
            BLOCKS,
            BLOCK_CALLS,
            WARM_UP_CALLS,
        )
    )
    yield Row(
        "SELECT 1 prepared, Java",
        "ms",
        calls["prepared"],
        calls["health"].scaled(4),
        baseline_is="4 bare calls",
        targets=(Target(1.3),),
    )
    yield Row(
        "SELECT of another number each time, prepared, Java",
        "ms",
        calls["prepared-new"],
        calls["health"].scaled(4),
        baseline_is="4 bare calls",
    )
    yield Row("SELECT 1, ADBC", "ms", samples["adbc"], samples["local"])


def point(bench: Bench) -> Iterator[Row]:
    everything = "SELECT * FROM points ORDER BY id"
    _expect_rows(bench.adbc.rows(everything), bench.local.rows(everything))

    def on(lake: InProcess | Adbc) -> Case:
        numbers = itertools.count()

        def query() -> None:
            turn = next(numbers)
            n = turn * 7 % POINTS
            # Never the same twice: a result that the server has kept is what `repeat` measures.
            found = lake.rows(f"SELECT id, name, {turn} FROM points WHERE id = {n}")
            _expect_rows(found, [(n, f"name {n}", turn)])

        return timed(query)

    cases = {"local": on(bench.local), "adbc": on(bench.adbc)}
    samples = _ms(in_blocks(cases, BLOCKS, BLOCK_CALLS, WARM_UP_CALLS))
    yield Row("point query on a table of 1,000 rows, ADBC", "ms", samples["adbc"], samples["local"])


def _expect_rows(found: list[tuple], expected: list[tuple]) -> None:
    if found != expected:
        raise WrongResult(f"{str(found)[:200]} instead of {str(expected)[:200]}")


def repeat(bench: Bench) -> Iterator[Row]:
    _expect_rows(bench.adbc.rows(REPEATED), bench.local.rows(REPEATED))
    samples = _ms(
        interleave(
            {
                "local": timed(lambda: bench.local.rows(REPEATED)),
                "adbc": timed(lambda: bench.adbc.rows(REPEATED)),
            },
            REPEATS,
        )
    )
    yield Row(
        f"the same aggregate of lineitem {REPEATS} times, ADBC",
        "ms",
        samples["adbc"],
        samples["local"],
        targets=(Target(0.2, from_scale=1),),
    )


def fairness(bench: Bench) -> Iterator[Row]:
    """Idle and busy take turns."""
    idle: list[float] = []
    busy: list[float] = []
    drained, drain_s = 0, 0.0
    with ExitStack() as stack:
        calls = stack.enter_context(GrpcCalls(bench.uri))
        drains = [
            stack.enter_context(closing(Helper.python("drain", bench.uri, LINEITEM)))
            for _ in range(DRAINS)
        ]
        call = timed(lambda: calls.prepared("SELECT 1"))
        for _ in range(WARM_UP_CALLS):
            call()
        for _ in range(FAIR_BLOCKS):
            idle += [call() for _ in range(FAIR_CALLS)]
            begin = time.perf_counter()
            for drain in drains:
                drain.say("go")
            time.sleep(DRAIN_BEFORE_S)
            busy += [call() for _ in range(FAIR_CALLS)]
            for drain in drains:
                drain.say("stop")
            rows = [int(drain.answer()) for drain in drains]
            if not all(rows):
                raise WrongResult(f"rows that the clients drained: {rows}")
            drained += sum(rows)
            drain_s += time.perf_counter() - begin
            time.sleep(SETTLE_S)
    samples = _ms({"idle": Samples(tuple(idle)), "busy": Samples(tuple(busy))})
    note = f"{drained / drain_s:,.0f} rows/s drained meanwhile, of the same cores"
    for percentile, limit in ((50.0, 2.0), (99.0, 5.0)):
        yield Row(
            f"SELECT 1 prepared beside {DRAINS} drains, p{percentile:.0f}",
            "ms",
            samples["busy"],
            samples["idle"],
            baseline_is="idle",
            targets=(Target(limit, from_scale=1),),
            note=note if percentile == 50 else "",
            percentile=percentile,
        )


def rate(bench: Bench) -> Iterator[Row]:
    with closing(SmallCalls(bench.uri)) as client:
        for what in ("health", "direct"):
            client.times(what, WARM_UP_CALLS)
        for connections in RATE_CONNECTIONS:
            samples = interleave(
                {
                    "health": _per_second(client, "health", connections),
                    "query": _per_second(client, "direct", connections),
                },
                RATE_TURNS,
            )
            yield Row(
                f"SELECT 1 direct, {connections} connection{'s' if connections > 1 else ''}",
                "/s",
                samples["query"],
                samples["health"].scaled(0.5),
                baseline_is="2 bare calls",
                note="a rate: the higher, the better" if connections == RATE_CONNECTIONS[0] else "",
            )


def _per_second(client: SmallCalls, what: str, connections: int) -> Case:
    return lambda: client.per_second(what, connections, RATE_SECONDS)


def _ms(samples: dict[str, Samples]) -> dict[str, Samples]:
    return {name: values.scaled(1e3) for name, values in samples.items()}
