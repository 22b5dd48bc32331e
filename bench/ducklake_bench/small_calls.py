"""Small calls of a client that is compiled: SmallCalls.java, which Java runs from its source."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from ducklake_bench import BenchFailure
from ducklake_bench.measure import Samples
from ducklake_bench.subprocesses import Helper

_HERE = Path(__file__).resolve().parent
_REPOSITORY = _HERE.parents[1]


class SmallCalls:
    """What it can call: health, which is bare, and SELECT 1 direct (2 calls) or prepared (4)."""

    def __init__(self, *uris: str) -> None:
        servers = [urlsplit(uri) for uri in uris]
        classes = _REPOSITORY / "server" / "target" / "dist" / "lib"
        if not classes.is_dir():
            raise BenchFailure("the program is not built: run bin/ducklake-flight --version first")
        self._helper = Helper(
            "SmallCalls",
            [
                _java(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                f"{classes}/*",
                str(_HERE / "SmallCalls.java"),
                str(servers[0].hostname),
                *(str(server.port) for server in servers),
            ],
        )

    def times(self, what: str, calls: int) -> list[float]:
        """The seconds of each, one after the other."""
        self._helper.say(f"{what} 1 {calls} calls")
        return [int(nanos) / 1e9 for nanos in self._helper.answer().split()]

    def per_second(self, what: str, connections: int, seconds: float) -> float:
        self._helper.say(f"{what} {connections} {seconds}")
        return float(self._helper.answer())

    def close(self) -> None:
        self._helper.close()


def samples(
    client: SmallCalls, whats: tuple[str, ...], blocks: int, calls: int
) -> dict[str, Samples]:
    """Of each, in blocks that take turns."""
    times: dict[str, list[float]] = {what: [] for what in whats}
    for _ in range(blocks):
        for what in whats:
            times[what] += client.times(what, calls)
    return {what: Samples(tuple(values)) for what, values in times.items()}


def _java() -> str:
    """The one that the launcher takes."""
    common = _REPOSITORY / "bin" / "lib" / "common.sh"
    found = subprocess.run(
        ["bash", "-c", '. "$1" && find_jdk java && echo "$JAVA_HOME"', "-", str(common)],
        capture_output=True,
        encoding="utf-8",
    )
    java = Path(found.stdout.strip()) / "bin" / "java"
    if found.returncode != 0 or shutil.which(java) is None:
        raise BenchFailure(f"no Java 25 for the client of small calls: {found.stderr.strip()}")
    return str(java)
