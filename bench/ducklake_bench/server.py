"""The server as a process of its own: start, wait for its line, look at its memory, stop."""

from __future__ import annotations

import os
import queue
import re
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from ducklake_bench import BenchFailure

LISTENING = re.compile(r"^✓ Flight SQL server listening on (grpc://127\.0\.0\.1:\d+)$")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
#: The launcher builds what is missing in a fresh clone.
FIRST_RUN_TIMEOUT_S = 1800.0

_REPOSITORY = Path(__file__).resolve().parents[2]


def command() -> list[str]:
    given = os.environ.get("DUCKLAKE_FLIGHT")
    return shlex.split(given) if given else [str(_REPOSITORY / "bin" / "ducklake-flight")]


def run_once(*arguments: str) -> str:
    """Runs a command of the program to its end and returns what it printed."""
    try:
        done = subprocess.run(
            [*command(), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=FIRST_RUN_TIMEOUT_S,
        )
    except OSError as e:
        raise BenchFailure(f"cannot run the server's program, see DUCKLAKE_FLIGHT: {e}") from e
    if done.returncode != 0:
        text = (done.stderr or done.stdout).strip()
        raise BenchFailure(f"{' '.join(arguments)} ended with {done.returncode}: {text}")
    return done.stdout


class ServerProcess:
    """`serve --local=DIR`, from the start of the process to exit code 0."""

    def __init__(self, lake: Path, log: Path) -> None:
        self._lake = lake
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self.uri = ""
        self.start_seconds = 0.0

    def start(self) -> None:
        begin = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command(), "serve", f"--local={self._lake}", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C is for the benchmark, which then stops the server
            )
        try:
            self.uri = self._wait_for_line(begin + START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise
        self.start_seconds = time.perf_counter() - begin

    def _wait_for_line(self, deadline: float) -> str:
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read_lines, args=(lines,), daemon=True).start()
        while (left := deadline - time.perf_counter()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise BenchFailure(f"the server ended before it listened: {self.last_words()}")
            if found := LISTENING.match(line):
                return found.group(1)
        raise BenchFailure(
            f"no listening line within {START_TIMEOUT_S:.0f} s: {self.last_words()}"
        )

    def _read_lines(self, lines: queue.Queue[str | None]) -> None:
        """Goes on to the end, so that the server never blocks on a full pipe."""
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def last_words(self) -> str:
        return (
            self._log.read_text("utf-8", "replace")[-2000:].strip() or "nothing on standard error"
        )

    def stop(self) -> None:
        """SIGTERM; anything but exit code 0 is a failure."""
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as e:
            self.kill()
            raise BenchFailure(f"not ended {STOP_TIMEOUT_S:.0f} s after SIGTERM") from e
        self._process = None
        if code != 0:
            raise BenchFailure(f"the server ended with {code} after SIGTERM: {self.last_words()}")

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            # Its own session, so the group is the launcher and what the launcher started.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=STOP_TIMEOUT_S)
            self._process = None

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()
            return
        try:
            self.stop()
        except BenchFailure as e:
            print(f"  and then {e}", flush=True)

    def peak_rss_bytes(self) -> int:
        return self._status_bytes("VmHWM")

    def rss_bytes(self) -> int:
        return self._status_bytes("VmRSS")

    def _status_bytes(self, key: str) -> int:
        """Of the largest process, should the program start the JVM instead of becoming it."""
        assert self._process is not None
        return max(_status_bytes(pid, key) for pid in _with_descendants(self._process.pid))


def can_see_memory() -> bool:
    return Path("/proc/self/status").exists()


def _with_descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state ppid …; the name may hold blanks and parentheses
            parent = int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _status_bytes(pid: int, key: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return 0
    found = re.search(rf"^{key}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0
