"""bench/run: measures, prints a table; exit code 1 for wrong results and failures only."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ducklake_bench import peers, picture, process, report, server, workloads
from ducklake_bench.clients import RawFlight
from ducklake_bench.data import Adbc, InProcess, Source, fill, install_extensions
from ducklake_bench.report import Report, Row
from ducklake_bench.tpch import tpch

#: Need a server that is up, and the data.
WITH_SERVER: dict[str, workloads.Workload] = {
    "lineitem": workloads.lineitem,
    "wide": workloads.wide,
    "narrow": workloads.narrow,
    "first-batch": workloads.first_batch,
    "ingest": workloads.ingest,
    "select-1": workloads.select_1,
    "point": workloads.point,
    "repeat": workloads.repeat,
    "fairness": workloads.fairness,
    "rate": workloads.rate,
    "tpch": tpch,
}
#: Start servers of their own.
AFTER_SERVER = ("memory", "slow-reader", "slow-readers")
WITH_PROCESS = ("start", *AFTER_SERVER)
NAMES = ("start", *WITH_SERVER, *AFTER_SERVER)
#: Peers take turns in these.
WITH_PEERS = ("lineitem", "wide", "narrow", "first-batch")
ON_REQUEST = ("tpch",)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    try:
        result = _measure(options)
    except Exception as e:
        print(f"bench: {_one_line(e)}", file=sys.stderr)
        return 1
    print(result.text())
    if options.json:
        result.write_json(options.json)
    if options.results:
        command = shlex.join(["bench/run", *sys.argv[1:]])
        options.results.write_text(result.markdown(command), encoding="utf-8")
    if options.picture:
        options.picture.write_text(picture.draw(result.content()), encoding="utf-8")
    return 1 if result.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measures the server against DuckDB in process, in one run.",
        epilog=f"Workloads: {', '.join(NAMES)}. The server's program: DUCKLAKE_FLIGHT, else"
        " bin/ducklake-flight of this repository.",
    )
    parser.add_argument("--scale", type=_positive(float), default=1.0, help="of TPC-H (1)")
    parser.add_argument("--repeat", type=_positive(int), default=5, help="counted turns (5)")
    parser.add_argument("--starts", type=_positive(int), default=5, help="counted starts (5)")
    parser.add_argument("--only", type=_names, metavar="NAME[,NAME]", help="just these workloads")
    parser.add_argument("--tpch", action="store_true", help="compare the 22 queries too")
    parser.add_argument(
        "--uri",
        help="measure the server at grpc://HOST:PORT, without TLS and users; creates the"
        " benchmark's tables in its lake, and drops them",
    )
    parser.add_argument(
        "--peers",
        type=_peers,
        default=[],
        metavar="NAME[,NAME]",
        help=f"let these take turns too: {', '.join(peers.OWN)} (none)",
    )
    parser.add_argument(
        "--peer",
        type=_named_uri,
        action="append",
        default=[],
        metavar="NAME=grpc://HOST:PORT",
        help="another Flight SQL server that has the tables lineitem or wide; may be repeated",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the ratios as SVG")
    options = parser.parse_args()
    chosen = options.only or [name for name in NAMES if name not in ON_REQUEST]
    options.names = chosen + (["tpch"] if options.tpch and "tpch" not in chosen else [])
    return options


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if value <= 0:
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def _names(text: str) -> list[str]:
    return _of(NAMES, "workload", text)


def _peers(text: str) -> list[str]:
    return _of(peers.OWN, "peer", text)


def _of(known: Iterable[str], kind: str, text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no {kind} {name!r}; there are {', '.join(known)}")
    return names


def _named_uri(text: str) -> tuple[str, str]:
    """NAME=grpc://HOST:PORT"""
    name, _, uri = text.partition("=")
    if not name or name in peers.OWN or "://" not in uri:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=grpc://HOST:PORT, or its name is taken"
        )
    return name, uri


def _measure(options: argparse.Namespace) -> Report:
    machine = report.machine()
    install_extensions(peers.extensions(options.peers))
    version = f"at {options.uri}" if options.uri else server.run_once("--version").splitlines()[0]
    result = Report(options.scale, options.repeat, report.versions(version), machine)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ducklake-bench-")))
        _say(f"TPC-H at scale {options.scale:g}")
        source = Source(options.scale)
        stack.callback(source.close)
        if options.uri:
            _skip_process(result, options.names)
            _with_server(result, options, source, work, options.uri)
        else:
            _with_own_server(result, options, source, work)
    return result


def _skip_process(result: Report, names: list[str]) -> None:
    for name in names:
        if name in WITH_PROCESS:
            result.skipped[name] = "needs a server that this program starts"


def _with_own_server(
    result: Report, options: argparse.Namespace, source: Source, work: Path
) -> None:
    home = process.Home(work / "served", work / "server.log")
    names = options.names
    if "start" in names:
        _run(result, "start", process.start(home, options.starts))
    if "memory" in names or any(name in WITH_SERVER for name in names):
        try:
            with home.server() as up:
                _with_server(result, options, source, work, up.uri, keep="memory" in names)
        except Exception as e:
            result.failures["server"] = _one_line(e)
    with_memory: dict[str, Callable[[], Iterator[Row]]] = {
        "memory": lambda: process.memory(home, source.rows("lineitem")),
        "slow-reader": lambda: process.slow_reader(home),
        "slow-readers": lambda: process.slow_readers(home),
    }
    for name, workload in with_memory.items():
        if name not in names:
            continue
        if server.can_see_memory():
            _run(result, name, workload())
        else:
            result.skipped[name] = "needs /proc"
    if result.failures and home.log.exists():
        print(f"the server's log ends with\n{home.last_log()}", file=sys.stderr)


def _with_server(
    result: Report,
    options: argparse.Namespace,
    source: Source,
    work: Path,
    uri: str,
    keep: bool = False,
) -> None:
    names = [name for name in options.names if name in WITH_SERVER]
    if not names and not keep:
        return
    with ExitStack() as stack:
        adbc = stack.enter_context(Adbc(uri))

        def created(table: str) -> None:
            """Only what was created here is dropped again."""
            if not keep:
                stack.callback(adbc.drop, table)

        _say("fills the server's lake")
        fill(source, adbc, created)
        if not names:
            return
        _say("fills the lake in process")
        local = InProcess(work / "local")
        stack.callback(local.close)
        fill(source, local)
        raw = stack.enter_context(RawFlight(uri))
        others = _start_peers(result, options, source, work, stack)
        bench = workloads.Bench(source, local, adbc, raw, uri, options.repeat, others)
        for name in names:
            _run(result, name, WITH_SERVER[name](bench))


def _start_peers(
    result: Report, options: argparse.Namespace, source: Source, work: Path, stack: ExitStack
) -> dict[str, dict[str, peers.Peer]]:
    """By table. A peer that does not start is a failure; the others are measured all the same."""
    found: dict[str, dict[str, peers.Peer]] = {table: {} for table in peers.TABLES}
    if not any(name in WITH_PEERS for name in options.names):
        return found
    lake = work / "peers"
    if options.peers:
        _say("fills the peers' lake")
        peers.fill_lake(source, lake)
    starts = {name: partial(peers.OWN[name], lake) for name in options.peers}
    starts |= {name: partial(peers.FlightSql, uri) for name, uri in options.peer}
    for name, start in starts.items():
        _say(f"peer {name}")
        try:
            peer = start()
        except Exception as e:
            result.failures[f"peer {name}"] = _one_line(e)
            continue
        stack.callback(peer.close)
        result.versions[f"peer {name}"] = peer.version
        for table in peers.TABLES:
            if why := peers.lacks(peer, source, table):
                missing = result.failures if name in peers.OWN else result.skipped
                missing[f"peer {name}, {table}"] = why
            else:
                found[table][name] = peer
    return found


def _run(result: Report, name: str, rows: Iterator[Row]) -> None:
    """A workload that fails does not keep the others from being measured."""
    _say(name)
    try:
        for row in rows:
            result.add(row)
    except Exception as e:
        result.failures[name] = _one_line(e)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
