"""The command line: see README.md in the directory above."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import math
import os
import platform
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb

from ducklake_bench import server as bench_server
from ducklake_logic.verdict import CLASSES, FAULTS
from ducklake_logic.worker import FileResult, Worker

_SHOWN_SQL = 200


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/logic-tests", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="files, or directories of them")
    parser.add_argument("--root", type=Path, help="what file names are shown relative to")
    parser.add_argument("--data", type=Path, help="the tests' own data/ directory")
    parser.add_argument("--slow", action="store_true", help="also .test_slow")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a file may take")
    parser.add_argument("--minutes", type=float, help="takes files in random order so long")
    parser.add_argument("--json", type=Path, help="a report of every file")
    parser.add_argument("--extension", type=Path, help="DuckLake's extension, for DuckDB in process")
    return parser.parse_args()


def _files(paths: list[Path], slow: bool) -> list[Path]:
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found.update(path.rglob("*.test"))
            found.update(path.rglob("*.test_slow") if slow else ())
        else:
            found.add(path)
    return sorted(found)


def _extension() -> Path:
    system = {"Linux": "linux", "Darwin": "osx"}[platform.system()]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    home = Path.home() / ".cache" / "ducklake-flight" / "extensions"
    return home / f"v{duckdb.__version__}" / f"{system}_{machine}" / "ducklake.duckdb_extension"


def _run(arguments: argparse.Namespace, files: list[Path], home: Path) -> list[FileResult]:
    left: queue.SimpleQueue[Path] = queue.SimpleQueue()
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else math.inf
    if arguments.minutes:
        random.Random(len(files)).shuffle(files)  # what is run stands for the whole
    for file in files:
        left.put(file)
    results: list[FileResult] = []
    failures: list[BaseException] = []
    lock = threading.Lock()

    def work(number: int) -> None:
        worker = Worker(
            home / f"worker{number}",
            arguments.extension or _extension(),
            arguments.data,
            arguments.limit,
        )
        try:
            while not failures and time.monotonic() < until:
                file = left.get_nowait()
                name = str(file.relative_to(arguments.root) if arguments.root else file)
                result = worker.run(file, name)
                with lock:
                    results.append(result)
                    _print(result, len(results), len(files))
        except queue.Empty:
            pass
        except BaseException as e:
            failures.append(e)
        finally:
            worker.close()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(arguments.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(results, key=lambda result: result.file)


def _print(result: FileResult, number: int, of: int) -> None:
    if result.kind in ("passed", "skipped"):
        return
    first = next((f for f in result.findings if f.kind == result.kind), result.findings[0])
    sql = " ".join(first.sql.split())[:_SHOWN_SQL]
    detail = " ".join(first.detail.split())[:_SHOWN_SQL]
    print(f"[{number}/{of}] {result.kind}: {result.file}:{first.line}: {sql} -> {detail}", flush=True)


def _summary(results: list[FileResult]) -> dict[str, object]:
    kinds = collections.Counter(result.kind for result in results)
    reasons = collections.Counter(r.reason for r in results if r.kind == "skipped")
    statements = collections.Counter(f.kind for r in results for f in r.findings)
    return {
        "files": len(results),
        "by kind": {kind: kinds[kind] for kind in ("passed", "skipped", *CLASSES) if kinds[kind]},
        "skipped": dict(reasons.most_common()),
        "statements": sum(r.statements for r in results),
        "as expected": sum(r.as_expected for r in results),
        "findings": {kind: statements[kind] for kind in CLASSES if statements[kind]},
    }


def main() -> int:
    arguments = _arguments()
    files = _files(arguments.paths, arguments.slow)
    bench_server.run_once("--version")  # a fresh clone is built now, not in the first file's time
    os.environ.setdefault("QUERY_TIMEOUT", f"{max(1, round(arguments.limit))}s")
    home = Path(tempfile.mkdtemp(prefix="ducklake-logic-"))
    try:
        results = _run(arguments, files, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    summary = _summary(results)
    if arguments.json:
        report = {"summary": summary, "files": [dataclasses.asdict(r) for r in results]}
        arguments.json.write_text(json.dumps(report, indent=1))
    print(json.dumps(summary, indent=1))
    return 1 if any(result.kind in FAULTS for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
