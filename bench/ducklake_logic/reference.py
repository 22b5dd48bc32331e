"""DuckDB in a process beside the server's: the same file, and what each of its statements gives."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Collection
from multiprocessing.connection import Connection
from pathlib import Path

from ducklake_logic import script
from ducklake_logic.engines import InProcess, Sessions, offer, reads_data
from ducklake_logic.names import Names
from ducklake_logic.replay import Replay, Replayed
from ducklake_logic.values import Values

_GRACE_S = 20.0


class Reference:
    """Ended and begun anew when a file crashes it, or does not end. Not thread-safe."""

    def __init__(self, home: Path, extension: Path, data: Path | None) -> None:
        self._home = home
        self._files = 0
        self._arguments = (extension, data)
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def lake(self) -> Path:
        """One for each file: DuckDB lets go of the last one when it likes."""
        return self._home / f"in-process{self._files}"

    def replay(self, file: Path, leave_out: Collection[int], limit_s: float) -> Replayed | None:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve, args=(theirs, *self._arguments), daemon=True
            )
            self._process.start()
            theirs.close()
        shutil.rmtree(self.lake, ignore_errors=True)
        self._files += 1
        self._pipe.send((file, self.lake, set(leave_out), limit_s))
        try:
            if self._pipe.poll(limit_s + _GRACE_S):
                return self._pipe.recv()
        except EOFError:
            pass
        self.close()
        return None

    def close(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _serve(pipe: Connection, extension: Path, data: Path | None) -> None:
    values = Values()
    while True:
        try:
            file, lake, leave_out, limit_s = pipe.recv()
        except EOFError:
            return
        names = Names(file, lake, data)
        if data is not None and reads_data(file):
            offer(data, lake)
        engine = InProcess(lake, extension)
        sessions = Sessions(engine.connect)
        try:
            replay = Replay(file, sessions, names, values, limit_s, leave_out)
            pipe.send(replay.run(script.parse(file)))
        finally:
            sessions.close()
            engine.close()


