"""A client that drains a query again and again, from the line "go" to the line "stop"."""

from __future__ import annotations

import select
import sys

from ducklake_bench.clients import RawFlight


def main() -> None:
    uri, sql = sys.argv[1:]
    with RawFlight(uri) as raw:
        while sys.stdin.readline():
            print(_drain_until_next_line(raw, sql), flush=True)
            sys.stdin.readline()


def _drain_until_next_line(raw: RawFlight, sql: str) -> int:
    """The rows that came. Unread is the line that ends it."""
    rows = 0
    while True:
        stream = raw.stream(sql)
        for batch in stream:
            rows += batch.num_rows
            if select.select([sys.stdin], [], [], 0)[0]:
                stream.close()
                return rows


if __name__ == "__main__":
    main()
