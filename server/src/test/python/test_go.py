"""The ADBC driver in Go, and its database/sql form: the tests are in src/test/go."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1] / "go"


def find_go() -> str | None:
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def version(go: str) -> tuple[int, ...]:
    """The version of the go command itself, such as (1, 26)."""
    own = {**os.environ, "GOTOOLCHAIN": "local"}
    text = subprocess.run([go, "env", "GOVERSION"], env=own, capture_output=True, text=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def needed() -> tuple[int, ...]:
    (line,) = re.findall(r"^go (\d+)\.(\d+)", (TESTS / "go.mod").read_text(), re.MULTILINE)
    return tuple(int(number) for number in line)


def reason_to_skip_go() -> str | None:
    go = find_go()
    if go is None:
        return "Go is not installed: the tests of the driver in Go are left out"
    if version(go) < needed():
        return "Go is older than the driver in Go needs: its tests are left out"
    return None


def test_the_driver_in_go(server):
    if reason := reason_to_skip_go():
        pytest.skip(reason)
    go = find_go()
    environment = {**os.environ, "FLIGHT_URL": server.uri}
    run = subprocess.run(
        [go, "test", "-count=1", "-timeout=120s", "./..."],
        cwd=TESTS,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
