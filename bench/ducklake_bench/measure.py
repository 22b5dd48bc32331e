"""Timing: everything that is compared is measured in turns, so that noise hits both sides alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Runs once and says how many seconds the part that counts took.
Case = Callable[[], float]


@dataclass(frozen=True)
class Samples:
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def scaled(self, factor: float) -> Samples:
        return Samples(tuple(value * factor for value in self.values))


def timed(run: Callable[[], object]) -> Case:
    """All of a call counts."""

    def case() -> float:
        begin = time.perf_counter()
        run()
        return time.perf_counter() - begin

    return case


def interleave(cases: Mapping[str, Case], repeat: int) -> dict[str, Samples]:
    """A/B/A/B after one uncounted turn of each."""
    return in_blocks(cases, blocks=repeat, calls=1, warm_up=1)


def in_blocks(
    cases: Mapping[str, Case], blocks: int, calls: int, warm_up: int
) -> dict[str, Samples]:
    """Short calls take turns in blocks; a sample is one call. The warm-up is not counted."""
    for case in cases.values():
        _repeat(case, warm_up)
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(blocks):
        for name, case in cases.items():
            samples[name] += _repeat(case, calls)
    return {name: Samples(tuple(values)) for name, values in samples.items()}


def _repeat(case: Case, calls: int) -> list[float]:
    return [case() for _ in range(calls)]
