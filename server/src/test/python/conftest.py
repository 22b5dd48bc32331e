"""Starts the program as a user does, and hands out connections of stock drivers."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import adbc_driver_flightsql.dbapi
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[4]
LAUNCHER = shlex.split(os.environ.get("DUCKLAKE_FLIGHT", str(ROOT / "bin" / "ducklake-flight")))
LISTENING = "✓ Flight SQL server listening on "


class Server:
    """A server process over a lake in a directory."""

    def __init__(
        self,
        lake: pathlib.Path,
        *arguments: str,
        port: int = 0,
        environment: dict | None = None,
    ):
        self.lake = lake
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [*LAUNCHER, "serve", f"--local={lake}", "--port", str(port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self._listening = threading.Event()
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    def _read(self, stream, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))
            if line.startswith(LISTENING):
                self._listening.set()
        self._listening.set()

    def wait(self, seconds: float = 120) -> "Server":
        """Waits for the line that says where the server listens."""
        assert self._listening.wait(seconds), self.errors
        assert self.lines and self.lines[-1].startswith(LISTENING), (self.lines, self.errors)
        return self

    @property
    def uri(self) -> str:
        return self.lines[-1].removeprefix(LISTENING)

    @property
    def port(self) -> int:
        return int(self.uri.rsplit(":", 1)[1])

    def connect(self, **options):
        options.setdefault("autocommit", True)
        return adbc_driver_flightsql.dbapi.connect(self.uri, **options)

    def rss_mb(self) -> float:
        """What the process holds in memory now."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 30) -> int:
        """Ends it if it still runs, and returns its exit code."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("lake")).wait()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def secure(tmp_path_factory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with TLS and a login, and what its clients have in their environment."""
    from test_tls import PASSWORD, USERS, Files

    files = Files(tmp_path_factory.mktemp("secure"))
    own = {**files.environment, "FLIGHT_USERS": json.dumps(USERS)}
    running = Server(tmp_path_factory.mktemp("secure-lake"), environment=own).wait()
    yield (
        running,
        {
            "FLIGHT_URL": running.uri,
            "FLIGHT_USER": USERS[0]["name"],
            "FLIGHT_PASSWORD": PASSWORD,
            "FLIGHT_TLS_CA": str(files.ca),
        },
    )
    assert running.stop() == 0


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Server]]:
    """Starts servers of a test's own; those that still run are ended with it."""
    started: list[Server] = []

    def begin(*arguments: str, lake: pathlib.Path = tmp_path / "lake", **options) -> Server:
        one = Server(lake, *arguments, **options)
        started.append(one)
        return one

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def cursor(server):
    with server.connect() as connection, connection.cursor() as one:
        yield one


def eventually(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Waits for a condition."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


sys.modules.setdefault("conftest", sys.modules[__name__])
