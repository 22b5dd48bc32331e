"""bench/soak: mixed load for a long time; exit code 1 when something grows or clients fail."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from ducklake_bench import process
from ducklake_soak.keys import Keys
from ducklake_soak.load import CLIENTS, Load
from ducklake_soak.watch import KINDS, Sample, Watch, grows, quarters

SAMPLE_EVERY_S = 5.0
#: Longer than idle_session_timeout, and than what is kept of connections that have gone.
IDLE_TIMEOUT_S = 20
REST_S = 75.0
START_TIMEOUT_S = 600.0
MOST_FAILURES = 0.01
MOST_MISSED = 3

_LISTENING = re.compile(r"listening on (grpc://\S+:(\d+))$")
_REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        keys = Keys()
        stack.callback(keys.close)
        http_port = _free_port()
        spill = home / "spill"
        server = _start(home, http_port, spill, keys, options.production)
        stack.callback(_stop, server)
        uri, port = _listening(server, home / "log")
        watch = Watch(port, http_port, spill, {keys.port})
        s3 = watch.environment().get("AWS_ENDPOINT_URL")
        if s3:
            watch = Watch(port, http_port, spill, {keys.port, urlsplit(s3).port or 80})
        load = Load(uri)
        load.start()
        samples: list[Sample] = []
        missed = 0
        end = time.monotonic() + options.minutes * 60
        try:
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(SAMPLE_EVERY_S, left))
                try:
                    samples.append(watch.sample())
                except OSError as e:
                    missed += 1
                    print(f"no sample: {e}", file=sys.stderr)
                    if server.poll() is not None or missed > MOST_MISSED:
                        words = (home / "log").read_text("utf-8", "replace")[-3000:]
                        code = server.poll()
                        raise SystemExit(
                            f"the server does not answer any more (exit code {code}): {words}"
                        ) from e
        finally:
            load.stop()
        time.sleep(REST_S)
        rest = watch.sample()
        faults = _report(samples, rest, load)
        if options.production:
            print(f"credentials: {len(keys.given)} sets were given")
        return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="of load, 60 unless given")
    parser.add_argument(
        "--production",
        action="store_true",
        help="a server with Postgres, a stand-in for S3, and credentials that change each minute"
        " (bin/try-production), instead of serve --local",
    )
    return parser.parse_args()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _start(
    home: Path, http_port: int, spill: Path, keys: Keys, production: bool
) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "HTTP_PORT": str(http_port),
        "IDLE_SESSION_TIMEOUT": f"{IDLE_TIMEOUT_S}s",
        "MEMORY_LIMIT": "400MB",
        "TEMP_DIRECTORY": str(spill),
    }
    if production:
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://127.0.0.1:{keys.port}/keys"
        command = [str(_REPOSITORY / "bin" / "try-production"), "--port", "0"]
    else:
        command = [*process.command(), "serve", f"--local={home / 'lake'}", "--port", "0"]
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def _listening(server: subprocess.Popen[str], log: Path) -> tuple[str, int]:
    assert server.stdout is not None
    late = threading.Timer(START_TIMEOUT_S, server.terminate)
    late.start()
    try:
        for line in server.stdout:
            if found := _LISTENING.search(line.rstrip()):
                threading.Thread(target=server.stdout.read, daemon=True).start()
                return found.group(1), int(found.group(2))
    finally:
        late.cancel()
    raise SystemExit(f"the server does not listen: {log.read_text('utf-8', 'replace')[-2000:]}")


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def _report(samples: list[Sample], rest: Sample, load: Load) -> int:
    """Prints it; returns how much is wrong."""
    faults = 0
    print(f"{'':24} {'1st':>9} {'2nd':>9} {'3rd':>9} {'4th':>9} {'most':>9} {'at rest':>9}")
    for kind in KINDS:
        medians = quarters(samples, kind.name)
        most = max(sample[kind.name] for sample in samples)
        last = rest[kind.name]
        words = []
        if grows(kind, medians):
            words.append("grows")
        if kind.rest is not None and last > kind.rest:
            words.append(f"stays, at most {kind.rest:g} expected")
        faults += len(words)
        figures = " ".join(f"{value:9,.1f}" for value in (*medians, most, last))
        print(f"{kind.name:24} {figures}  {', '.join(words)}".rstrip())
    print(f"medians of the quarters of {len(samples)} samples; at rest: {REST_S:g} s after the end")
    for name in CLIENTS:
        steps, failures = load.steps[name], load.failures[name]
        bad = failures > MOST_FAILURES * steps or steps == 0
        faults += bad
        text = f": {load.texts[name]}" if failures else ""
        print(f"{name:10} {steps:8,} steps, {failures} failures{text}")
    print("nothing grows" if faults == 0 else f"{faults} faults")
    return faults


sys.exit(main())
