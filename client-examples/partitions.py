"""Reads a table in parts of one snapshot, each over a connection of its own, with the ADBC driver."""

import os
from concurrent.futures import ThreadPoolExecutor

import adbc_driver_flightsql.dbapi as flight
import pyarrow as pa

PARTITIONS = "adbc.flight.sql.session.option.partitions"
url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }


def read(part: bytes) -> int:
    with flight.connect(url, db_kwargs=login) as connection, connection.cursor() as cursor:
        cursor.adbc_read_partition(part)
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


if __name__ == "__main__":
    with flight.connect(url, db_kwargs=login, autocommit=True) as connection:
        with connection.cursor() as cursor:
            for file in range(4):
                rows = pa.table({"i": range(1000 * file, 1000 * file + 1000)})
                mode = "append" if file else "replace"
                cursor.adbc_ingest("measured", rows, mode=mode)

            connection.adbc_connection.set_options(**{PARTITIONS: "4"})
            parts, _ = cursor.adbc_execute_partitions("SELECT i FROM measured WHERE i >= 10")
            cursor.execute("DELETE FROM measured")  # is not seen by the parts
    with ThreadPoolExecutor(2) as workers:
        print(f"{sum(workers.map(read, parts))} rows in {len(parts)} parts")
