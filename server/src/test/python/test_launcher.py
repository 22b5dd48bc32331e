"""The program as a user starts it."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).resolve().parents[4] / "bin" / "ducklake-flight"


def run(*arguments, launcher=LAUNCHER, **options):
    return subprocess.run(
        [launcher, *arguments], capture_output=True, text=True, timeout=600, **options
    )


def test_starts_from_anywhere_through_a_link(tmp_path):
    link = tmp_path / "a link"
    link.symlink_to(LAUNCHER)
    done = run("--version", launcher=link, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ducklake-flight ")
    assert "DuckDB 1." in done.stdout


def test_takes_no_other_java_than_25(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.2"\n')
    script = f'. "{LAUNCHER.parent}/lib/common.sh"; is_jdk "{tmp_path}" java || fail 78 "no"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 78
    assert done.stderr == "ducklake-flight: no\n"


def test_takes_the_cache_of_its_own_build_only(tmp_path):
    shutil.copytree(LAUNCHER.parent, tmp_path / "bin")
    (tmp_path / "lib").mkdir()
    java = tmp_path / "runtime" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text('#!/bin/sh\necho "$@"\n')
    java.chmod(0o755)
    (tmp_path / "runtime" / "release").write_text('JAVA_VERSION="25.0.9"\n')
    identity = "0123456789abcdef"
    cache = tmp_path / f"classes-25.0.9-{identity}.aot"
    cache.write_text("not empty")

    def is_taken(build: str) -> bool:
        (tmp_path / "build.id").write_text(build)
        done = run("doctor", launcher=tmp_path / "bin" / "ducklake-flight")
        assert done.returncode == 0, done.stderr
        return f"-XX:AOTCache={cache}" in done.stdout.split()

    assert is_taken(identity + "0" * 48)
    # Java itself would run what the cache has of an earlier build, without a word.
    assert not is_taken("f" * 64)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["nonsense"], []])
def test_refuses_what_it_does_not_know(arguments):
    done = run(*arguments)
    assert done.returncode == 64
    assert "Usage: ducklake-flight" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_it_is_told_to_stop(tmp_path, how):
    with subprocess.Popen(
        [LAUNCHER, "serve", f"--local={tmp_path / 'lake'}", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as server:
        lines = [server.stdout.readline() for _ in range(3)]
        server.send_signal(how)
        assert server.wait(timeout=30) == 0
        assert lines[:2] == [
            "✓ DuckLake catalog configured\n",
            "✓ DuckLake catalog initialized successfully\n",
        ]
        assert lines[2].startswith("✓ Flight SQL server listening on grpc://127.0.0.1:")
        assert server.stdout.read() == ""
    assert (tmp_path / "lake" / "catalog.ducklake").exists()
