"""A client that reads a result slowly, to be killed: python -m ducklake_soak.victim URI."""

import sys
import time

from ducklake_bench.clients import RawFlight

stream = RawFlight(sys.argv[1]).stream("SELECT i, i::VARCHAR AS s FROM range(50000000) t(i)")
next(stream)
print("reading", flush=True)
for _ in stream:
    time.sleep(0.2)
