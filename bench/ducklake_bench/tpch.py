"""The 22 TPC-H queries: the same values and Arrow types as in process, and the time of all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

import pyarrow as pa

from ducklake_bench import WrongResult
from ducklake_bench.measure import interleave, timed
from ducklake_bench.report import Row
from ducklake_bench.workloads import Bench

#: Sums of doubles depend on the order in which threads add; decimals do not, and must be equal.
RELATIVE_TOLERANCE = 1e-9


def tpch(bench: Bench) -> Iterator[Row]:
    queries = bench.source.tpch_queries()
    different = _differences(bench, queries)

    def all_on(run: Callable[[str], object]) -> None:
        for sql in queries.values():
            run(sql)

    samples = interleave(
        {
            "local": timed(lambda: all_on(bench.local.table)),
            "adbc": timed(lambda: all_on(bench.adbc.table)),
        },
        bench.repeat,
    )
    name = f"TPC-H, {len(queries)} queries, ADBC"
    equal = len(queries) - len(different)
    note = f"{equal} of {len(queries)} equal to in process in values and Arrow types"
    yield Row(name, "s", samples["adbc"], samples["local"], note=note)
    if different:
        raise WrongResult("; ".join(f"query {number}: {why}" for number, why in different.items()))


def _differences(bench: Bench, queries: dict[int, str]) -> dict[int, str]:
    found = {}
    for number, sql in queries.items():
        why = difference(bench.adbc.table(sql), bench.local.table(sql), order_columns(sql))
        if why:
            found[number] = why
    return found


def order_columns(sql: str) -> list[str]:
    """Names in the ORDER BY of the whole query, which is the last one in the text."""
    clauses = re.split(r"\border\s+by\b", sql, flags=re.IGNORECASE)
    if len(clauses) == 1:
        return []
    clause = re.split(r"\blimit\b|;|\)", clauses[-1], flags=re.IGNORECASE)[0]
    return [part.split()[0].lower() for part in clause.split(",")]


def difference(found: pa.Table, expected: pa.Table, order: list[str]) -> str | None:
    """What is not as expected. Rows that the query's order leaves equal may come in any order."""
    if not found.schema.equals(expected.schema):
        return f"schema {found.schema} instead of {expected.schema}"
    if found.num_rows != expected.num_rows:
        return f"{found.num_rows} rows instead of {expected.num_rows}"
    keys = [name for name in expected.column_names if name.lower() in order]
    if len(keys) != len(order):
        return f"ordered by {order}, of which the result has {keys} only"
    if keys:
        in_order = _different_rows(_rows(found.select(keys)), _rows(expected.select(keys)))
        if in_order:
            return f"order: {in_order}"
    return _different_rows(_any_order(found), _any_order(expected))


def _different_rows(found: list[tuple], expected: list[tuple]) -> str | None:
    for at, (left, right) in enumerate(zip(found, expected, strict=True)):
        if not all(map(_same, left, right)):
            return f"row {at}: {left} instead of {right}"
    return None


def _same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)
    return left == right


def _rows(table: pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _any_order(table: pa.Table) -> list[tuple]:
    """Sorted, by doubles last, since these may differ by a little."""
    exact = [f.name for f in table.schema if not pa.types.is_floating(f.type)]
    inexact = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    return sorted(_rows(table.select(exact + inexact)), key=_sort_key)


def _sort_key(row: tuple) -> tuple:
    return tuple((value is None, 0 if value is None else value) for value in row)
