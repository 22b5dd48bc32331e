"""Helpers of the benchmark that are processes of their own: they end when their input does."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Sequence

from ducklake_bench import BenchFailure

ANSWER_TIMEOUT_S = 120.0
END_TIMEOUT_S = 30.0


class Helper:
    """A program that is spoken with in lines, in this process group."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read_lines, daemon=True).start()

    @classmethod
    def python(cls, module: str, *arguments: str) -> Helper:
        """`python -m ducklake_bench.MODULE ARGUMENTS`"""
        return cls(module, [sys.executable, "-m", f"ducklake_bench.{module}", *arguments])

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put("")

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError as e:
            raise BenchFailure(f"{self._name} ended, see above") from e

    def answer(self) -> str:
        """The next line, which is not empty."""
        try:
            line = self._lines.get(timeout=ANSWER_TIMEOUT_S)
        except queue.Empty as e:
            raise BenchFailure(f"no answer of {self._name} in {ANSWER_TIMEOUT_S:.0f} s") from e
        if not line:
            raise BenchFailure(f"{self._name} ended, see above")
        return line

    def close(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(END_TIMEOUT_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(END_TIMEOUT_S)
