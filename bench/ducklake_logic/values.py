"""Results as texts by the rules of DuckDB's own runner, and whether they are the expected ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from ducklake_logic.script import Query

_HASH = re.compile(r"\d+ values hashing to [0-9a-z]{32}")
_NUMBERS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)")
_TRUTH = {"true": "1", "1": "1", "false": "0", "0": "0"}


@dataclass(frozen=True)
class Rows:
    """A result as texts, value by value, with DuckDB's type of each column."""

    names: list[str]
    types: list[str]
    values: list[str]
    schema: str

    @property
    def columns(self) -> int:
        return len(self.types)

    @property
    def count(self) -> int:
        return len(self.values) // self.columns if self.columns else 0

    def sorted(self, sort: str) -> list[str]:
        return _sorted(self.values, self.columns, sort)


@dataclass(frozen=True)
class Mismatch:
    """A result that is not the expected one. `kind` is rows, values, columns, hash or order."""

    kind: str
    text: str


class Values:
    """Makes texts of Arrow data with a DuckDB of its own, which casts as the one that made them."""

    def __init__(self) -> None:
        self._duckdb = duckdb.connect()
        self._duckdb.execute("SET TimeZone='UTC'")
        self._labels: dict[str, str] = {}

    def forget_labels(self, label: str | None = None) -> None:
        if label is None:
            self._labels.clear()
        else:
            self._labels.pop(label, None)

    def rows(self, table: pa.Table, whole_numbers: bool = False) -> Rows:
        """`whole_numbers` is for SQLite's own files, whose hashes were made so."""
        schema = ", ".join(_describe(field) for field in table.schema)
        if not table.num_columns:
            return Rows([], [], [], schema)
        plain = table.rename_columns([f"c{i}" for i in range(table.num_columns)])
        relation = self._duckdb.from_arrow(plain)
        types = [str(kind) for kind in relation.types]
        texts = relation.project(
            ", ".join(_as_text(f"c{i}", kind, whole_numbers) for i, kind in enumerate(types))
        )
        values = [value for row in texts.fetchall() for value in row]
        return Rows(table.column_names, types, values, schema)

    def check(
        self, query: Query, rows: Rows, expected: list[str], expand: Callable[[str], str]
    ) -> Mismatch | None:
        """Compares a result with the lines of the file."""
        found = rows.sorted(query.sort)
        one = expected[0] if len(expected) == 1 else ""
        if query.label or _HASH.fullmatch(one):
            return self._check_hash(query, found, one)
        columns = rows.columns
        if not columns:
            return Mismatch("columns", "a result without columns")
        if one.startswith("<FILE>:"):
            quoted = "'" + one.removeprefix("<FILE>:") + "'"
            try:
                expected = self._file(expand(quoted).strip("'"), rows.names)
            except duckdb.Error as e:
                return Mismatch("values", f"the file of expected rows cannot be read: {e}")
        by_row = columns > 1 and len(expected) == rows.count
        if by_row or (expected and all("\t" in line for line in expected)):
            cells = [cell for line in expected for cell in line.split("\t")]
            if any(line.count("\t") != columns - 1 for line in expected):
                return Mismatch("columns", f"{columns} columns, rows of the file have others")
        else:
            cells = expected
        if len(cells) != len(found):
            return Mismatch(
                "rows", f"{len(found) // columns} rows, expected {len(cells) / columns:g}"
            )
        mismatch = self._compare(rows, found, cells, expand)
        if mismatch is None:
            if query.columns != columns:
                return Mismatch("columns", f"{columns} columns, expected {query.columns}")
            return None
        in_order = rows.sorted("rowsort")
        if self._compare(rows, in_order, _sorted(cells, columns, "rowsort"), expand) is None:
            return Mismatch("order", "the same rows in another order")
        return mismatch

    def _check_hash(self, query: Query, found: list[str], expected: str) -> Mismatch | None:
        digest = digest_of(found)
        text = f"{len(found)} values hashing to {digest}"
        if query.label:
            known = self._labels.setdefault(query.label, text)
            if known != text:
                return Mismatch("hash", f"{text}, of label {query.label} before: {known}")
        if _HASH.fullmatch(expected) and expected != text:
            return Mismatch("hash", f"{text}, expected {expected}")
        return None

    def _file(self, path: str, names: list[str]) -> list[str]:
        columns = {name: "VARCHAR" for name in names}
        relation = self._duckdb.read_csv(
            path, header=True, sep="|", columns=columns, auto_detect=False
        )
        return ["NULL" if value is None else value for row in relation.fetchall() for value in row]

    def _compare(
        self, rows: Rows, found: list[str], cells: list[str], expand: Callable[[str], str]
    ) -> Mismatch | None:
        for i, (value, cell) in enumerate(zip(found, cells, strict=True)):
            column = i % rows.columns
            if value == cell or value == expand(cell) or _matches(cell, value):
                continue
            if not self._equal(rows.types[column], value, expand(cell)):
                where = f"row {i // rows.columns + 1}, column {column + 1}"
                return Mismatch("values", f"{where}: {value[:200]!r}, expected {cell[:200]!r}")
        return None

    def _equal(self, kind: str, value: str, cell: str) -> bool:
        if kind == "BOOLEAN":
            return _TRUTH.get(value.lower(), value) == _TRUTH.get(cell.lower(), cell)
        if not _NUMBERS.fullmatch(kind):
            return False
        left, right = (self._cast(text, kind) for text in (value, cell))
        if left is None or right is None:
            return False
        if kind in ("FLOAT", "DOUBLE") and left == left and right == right:
            return bool(left == right or abs(left - right) <= abs(right) * 0.01 + 1e-8)
        return bool(left == right or (left != left and right != right))

    def _cast(self, text: str, kind: str) -> Any:
        found = self._duckdb.execute(f"SELECT TRY_CAST(? AS {kind})", [text]).fetchone()
        return found[0] if found else None


def matches_error(expected: str, text: str, expand: Callable[[str], str]) -> bool:
    if not expected or expected in text or expand(expected) in text:
        return True
    return _matches(expected, text) or _matches(expand(expected), text)


def digest_of(values: list[str]) -> str:
    return hashlib.md5("".join(value + "\n" for value in values).encode(errors="replace")).hexdigest()


def _matches(pattern: str, value: str) -> bool:
    for prefix, wanted in (("<REGEX>:", True), ("<!REGEX>:", False)):
        if pattern.startswith(prefix):
            try:
                found = re.fullmatch(pattern.removeprefix(prefix), value, re.DOTALL)
            except re.error:
                return False
            return bool(found) == wanted
    return False


def _as_text(column: str, kind: str, whole_numbers: bool) -> str:
    if kind == "BOOLEAN":
        text = f"CASE WHEN {column} THEN '1' ELSE '0' END"
        return f"CASE WHEN {column} IS NULL THEN 'NULL' ELSE {text} END"
    if whole_numbers and (kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL")):
        column = f"{column}::BIGINT"
    text = f"{column}::VARCHAR"
    return (
        f"CASE WHEN {column} IS NULL THEN 'NULL' WHEN {text} = '' THEN '(empty)'"
        f" ELSE replace({text}, chr(0), '\\0') END"
    )


def _describe(field: pa.Field) -> str:
    extension = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    children = [field.type.field(i) for i in range(field.type.num_fields)]
    inner = f"[{', '.join(_describe(child) for child in children)}]" if children else ""
    return f"{field.name} {field.type} {extension}{inner}".rstrip()


def _sorted(values: list[str], columns: int, sort: str) -> list[str]:
    if sort == "valuesort":
        return sorted(values)
    if sort == "rowsort" and columns:
        rows = sorted(values[i : i + columns] for i in range(0, len(values), columns))
        return [value for row in rows for value in row]
    return values
