"""The format of DuckDB's `.test` files: records between empty lines, loops around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SORTS = ("nosort", "rowsort", "valuesort")
COMPARISONS = {
    "<>": lambda a, b: a != b,
    ">=": lambda a, b: int(a) >= int(b),
    "<=": lambda a, b: int(a) <= int(b),
    ">": lambda a, b: int(a) > int(b),
    "<": lambda a, b: int(a) < int(b),
    "=": lambda a, b: a == b,
}
_COMPARISON = re.compile("|".join(COMPARISONS))

_SIGNED = ["tinyint", "smallint", "integer", "bigint", "hugeint"]
_UNSIGNED = ["utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"]
_NUMERIC = [*_SIGNED, *_UNSIGNED, "float", "double"]
_LISTS = {
    "<signed>": _SIGNED,
    "<unsigned>": _UNSIGNED,
    "<integral>": [*_SIGNED, *_UNSIGNED],
    "<numeric>": _NUMERIC,
    "<alltypes>": [*_NUMERIC, "bool", "interval", "varchar"],
    "<compression>": "none uncompressed rle bitpacking dictionary fsst dict_fsst alp alprd".split(),
    "<all_types_columns>": (
        "bool tinyint smallint int bigint hugeint uhugeint utinyint usmallint uint ubigint date"
        " time timestamp timestamp_s timestamp_ms timestamp_ns time_tz timestamp_tz float double"
        " dec_4_1 dec_9_4 dec_18_6 dec38_10 uuid interval varchar blob bit small_enum medium_enum"
        " large_enum int_array double_array date_array timestamp_array timestamptz_array"
        " varchar_array nested_int_array struct struct_of_arrays array_of_structs map union"
        " fixed_int_array fixed_varchar_array fixed_nested_int_array fixed_nested_varchar_array"
        " fixed_struct_array struct_of_fixed_array fixed_array_of_int_list"
        " list_of_fixed_int_array"
    ).split(),
}


class MalformedScript(Exception):
    """A file that is not of the format."""


@dataclass(frozen=True)
class Condition:
    """`skipif i=2` or `onlyif i>2&&i<5`, about the variables of loops."""

    text: str
    skip: bool

    def runs(self, variables: Mapping[str, str]) -> bool:
        holds = all(self._holds(part, variables) for part in self.text.split("&&"))
        return holds != self.skip

    @staticmethod
    def _holds(part: str, variables: Mapping[str, str]) -> bool:
        found = _COMPARISON.search(part)
        if not found:
            raise MalformedScript(f"no comparison: {part}")
        name, value = part[: found.start()].strip(), part[found.end() :].strip()
        return COMPARISONS[found.group()](variables[name], value)


@dataclass(frozen=True)
class Statement:
    """`statement ok|error|maybe`, with the error's text where one is expected."""

    line: int
    expected: str
    sql: str
    error: str
    connection: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Query:
    """`query III`, with the lines of its result."""

    line: int
    columns: int
    sql: str
    sort: str
    label: str
    rows: tuple[str, ...]
    connection: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Control:
    """Any other word, with what follows it."""

    line: int
    word: str
    arguments: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Loop:
    """`loop` and `foreach`; the concurrent forms run one turn after the other here."""

    line: int
    variable: str
    values: tuple[str, ...]
    body: tuple[Command, ...]


Command = Statement | Query | Control | Loop


def parse(path: Path) -> tuple[Command, ...]:
    lines = path.read_bytes().decode("utf-8", "surrogateescape").replace("\r", "").split("\n")
    return _Parser(lines).commands(in_loop=False)


class _Parser:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._skipping = 0

    def commands(self, in_loop: bool) -> tuple[Command, ...]:
        found: list[Command] = []
        while self._next_record():
            line = self._at + 1
            conditions, words = self._head()
            if words is None:
                continue
            word, arguments = words[0], words[1:]
            if word == "mode" and arguments in (["skip"], ["unskip"]):
                self._skipping += 1 if arguments == ["skip"] else -1
            elif self._skipping:
                pass
            elif word == "endloop":
                if not in_loop:
                    raise MalformedScript(f"line {line}: endloop without a loop")
                self._at += 1
                return tuple(found)
            elif word == "statement":
                found.append(self._statement(line, arguments, conditions))
                continue
            elif word == "query":
                found.append(self._query(line, arguments, conditions))
                continue
            elif word in ("loop", "concurrentloop", "foreach", "concurrentforeach"):
                self._at += 1
                values = tuple(_loop_values(word, arguments))
                found.append(Loop(line, arguments[0], values, self.commands(in_loop=True)))
                continue
            else:
                found.append(Control(line, word, tuple(arguments), conditions))
            self._skip_record()
        if in_loop:
            raise MalformedScript("a loop without endloop")
        return tuple(found)

    def _next_record(self) -> bool:
        while self._at < len(self._lines) and self._is_gap(self._lines[self._at]):
            self._at += 1
        return self._at < len(self._lines)

    @staticmethod
    def _is_gap(line: str) -> bool:
        return not line.strip() or line.startswith("#")

    def _skip_record(self) -> None:
        while self._at < len(self._lines) and not self._is_gap(self._lines[self._at]):
            self._at += 1

    def _head(self) -> tuple[tuple[Condition, ...], list[str] | None]:
        """The conditions of a record and its words; none when it is for another system."""
        conditions = []
        while (words := self._lines[self._at].split())[0] in ("skipif", "onlyif"):
            skip = words[0] == "skipif"
            if _COMPARISON.search(words[1]):
                conditions.append(Condition(words[1].lower(), skip))
            elif (words[1].lower() == "duckdb") == skip:
                self._skip_record()
                return (), None
            self._at += 1
        return tuple(conditions), words

    def _statement(
        self, line: int, arguments: list[str], conditions: tuple[Condition, ...]
    ) -> Statement:
        self._at += 1
        sql = self._sql()
        error = "\n".join(self._result())
        connection = arguments[1] if len(arguments) > 1 else ""
        return Statement(line, arguments[0], sql, error, connection, conditions)

    def _query(self, line: int, arguments: list[str], conditions: tuple[Condition, ...]) -> Query:
        self._at += 1
        sql = self._sql()
        rows = tuple(self._result())
        second = arguments[1] if len(arguments) > 1 else "nosort"
        sort, connection = (second, "") if second in SORTS else ("nosort", second)
        label = arguments[2] if len(arguments) > 2 else ""
        return Query(line, len(arguments[0]), sql, sort, label, rows, connection, conditions)

    def _sql(self) -> str:
        begin = self._at
        while self._at < len(self._lines) and not self._is_gap(self._lines[self._at]):
            if self._lines[self._at] == "----":
                break
            self._at += 1
        return "\n".join(self._lines[begin : self._at])

    def _result(self) -> Iterator[str]:
        """Up to an empty line: what begins with # is a value here."""
        if self._at < len(self._lines) and self._lines[self._at] == "----":
            self._at += 1
            while self._at < len(self._lines) and self._lines[self._at]:
                yield self._lines[self._at]
                self._at += 1


def _loop_values(word: str, arguments: list[str]) -> list[str]:
    if word.endswith("loop"):
        return [str(i) for i in range(int(arguments[1]), int(arguments[2]))]
    values: list[str] = []
    for argument in arguments[1:]:
        if argument.lower() in _LISTS:
            values += _LISTS[argument.lower()]
        elif argument.startswith("!") and argument[1:] in values:
            values.remove(argument[1:])
        else:
            values.append(argument)
    return values
