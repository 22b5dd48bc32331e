"""What a statement's outcome means, once DuckDB in process has run the same file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ducklake_logic.replay import COUNT, Outcome, Replayed

#: The classes, worst first; the first of a file's is the file's. Those of FAULTS are the server's.
CLASSES = {
    "crash": "the server ended",
    "hang": "a statement did not end, and had to be ended with the server",
    "internal": "an internal error, where DuckDB in process gives none",
    "differs": "neither what the file expects nor what DuckDB in process gives",
    "error text": "an error as expected, but with another text than in process",
    "type": "the rows as expected, but other Arrow types or names than in process",
    "unconfirmed": "not as expected, and DuckDB in process did not get so far",
    "time limit": "not run to its end: the file's time, or the server's for a statement, was up",
    "refused": "the server does not do this for its clients: ATTACH, settings, files elsewhere, LOAD",
    "not in Arrow": "the server refuses a column or value that Arrow has no equal of",
    "signed": "the server signs the commits of its clients: author, message, extra information",
    "lake": "DuckLake cannot do this: the same error in process",
    "engine": "not as the file expects, and the same in process",
}
FAULTS = ("crash", "hang", "internal", "differs", "error text", "type")

_NOT_IN_ARROW = re.compile(
    r"which Arrow has no equal of|which its Arrow type cannot|a struct whose fields have no names"
)
_LAKE_CANNOT = re.compile(
    r"DuckLake|only widening type promotions|RETURNING clause|negative intervals|Parquet writer"
    r"|Not implemented Error|constraints? (is|are) not supported|Cascade Drop"
)
_SIGNED = re.compile(r"snapshots\(|snapshot_changes|commit_message|author")
_EXPLAIN = re.compile(r"\s*EXPLAIN\b", re.IGNORECASE)
_KIND = re.compile(r"[A-Z][A-Za-z ]+ Error: ")  # DuckDB for Python leaves some of them out
_NUMBER_OF_A_RUN = re.compile(r"with index \"\d+\"|0x[0-9a-f]{6,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")


@dataclass(frozen=True)
class Finding:
    """A statement that did not give what is expected of it."""

    kind: str
    line: int
    sql: str
    failure: str
    detail: str
    in_process: str


def refused(outcome: Outcome) -> bool:
    return outcome.status in ("PermissionDenied", "Unauthenticated")


def left_out(server: Replayed) -> set[int]:
    """What DuckDB in process must not do either, to be in the same state afterwards."""
    return {o.ordinal for o in server.outcomes if o.left_out or refused(o)}


def findings(
    server: Replayed, in_process: Replayed | None, lakes: tuple[Path, Path]
) -> Iterator[Finding]:
    known = {o.ordinal: o for o in in_process.outcomes} if in_process else {}
    for outcome in server.outcomes:
        if outcome.left_out:
            continue
        twin = known.get(outcome.ordinal)
        kind = _kind(outcome, twin, lakes)
        if kind:
            yield Finding(
                kind,
                outcome.line,
                outcome.sql,
                outcome.failure,
                outcome.detail or outcome.error or outcome.schema,
                "" if twin is None else twin.detail or twin.error or twin.schema,
            )
    if server.skipped == "time limit":
        line = server.outcomes[-1].line if server.outcomes else 0
        yield Finding("time limit", line, "", "", "", "")


def _kind(outcome: Outcome, twin: Outcome | None, lakes: tuple[Path, Path]) -> str:
    """Empty where all is well."""
    if twin is not None and twin.left_out:
        return "refused" if outcome.failure else ""
    if not outcome.failure:
        return _kind_of_expected(outcome, twin, lakes)
    if refused(outcome):
        return "refused"
    if outcome.error and _NOT_IN_ARROW.search(outcome.error):
        return "not in Arrow"
    if outcome.status == "DeadlineExceeded":
        return "time limit"
    if twin is None:
        return "unconfirmed"
    if outcome.error is None and twin.error is None:
        same = outcome.digest == twin.digest
        same = same or (outcome.failure != "order" and outcome.digest_sorted == twin.digest_sorted)
        # Its times are never the same.
        same = same or (outcome.failure == twin.failure and bool(_EXPLAIN.match(outcome.sql)))
        if not same:
            return "signed" if _SIGNED.search(outcome.sql) else "differs"
        return "engine" if outcome.schema == twin.schema else "type"
    if outcome.error is None or twin.error is None:
        return "internal" if outcome.status in ("Internal", "Unknown") else "differs"
    if _same_text(outcome.error, twin.error, lakes):
        return "lake" if _LAKE_CANNOT.search(outcome.error) else "engine"
    return "internal" if outcome.status in ("Internal", "Unknown") else "differs"


def _kind_of_expected(outcome: Outcome, twin: Outcome | None, lakes: tuple[Path, Path]) -> str:
    if twin is None or refused(outcome):
        return ""
    if outcome.error is not None and twin.error is not None:
        return "" if _same_text(outcome.error, twin.error, lakes) else "error text"
    same = outcome.schema == twin.schema or outcome.schema == COUNT
    return "type" if outcome.error is None and twin.error is None and not same else ""


def _same_text(text: str, in_process: str, lakes: tuple[Path, Path]) -> bool:
    left, right = _plain(text, lakes), _plain(in_process, lakes)
    # ADBC's driver takes an error for a format of Go's: what follows a % is lost in it.
    if "%!" in left and "%" in right:
        left = left[: left.index("%!")]
        right = right[: len(left)]
    return left == right


def _plain(text: str, lakes: tuple[Path, Path]) -> str:
    """An error's text without the places and numbers of one run, as the server leaves them out."""
    for lake in lakes:
        text = text.replace(str(lake), "<lake>")
    if "<lake>" in text:
        # How much of a statement DuckDB shows depends on the length of the path in it.
        text = text.partition("\n\nLINE ")[0]
    return _NUMBER_OF_A_RUN.sub("<number>", _KIND.sub("", text, count=1)).strip()
