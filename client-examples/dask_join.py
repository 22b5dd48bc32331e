"""Joins two tables on a cluster of Dask workers, and writes the result back in one commit.

Each worker reads its parts of one snapshot over a connection of its own, from any replica of the
server, and loads the rows that it has joined into a table of its own. One transaction makes the
result of these: who reads it sees all of it, or nothing.
"""

import os

import adbc_driver_flightsql.dbapi as flight
import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
from dask import delayed
from dask.distributed import Client, LocalCluster

PARTITIONS = "adbc.flight.sql.session.option.partitions"
RESULT = "trips_of_cities"

# Several replicas with commas between them, or the one address that is before them all.
urls = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337").split(",")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }


def connect(number: int = 0, **options):
    return flight.connect(urls[number % len(urls)], db_kwargs=login, **options)


def make_tables() -> None:
    """Two tables, each of a few files."""
    with connect(autocommit=True) as connection, connection.cursor() as cursor:
        for file in range(4):
            mode = "append" if file else "replace"
            bikes = range(100 * file, 100 * file + 100)
            cities = [["Lima", "Oslo", "Pune"][bike % 3] for bike in bikes]
            cursor.adbc_ingest("bikes", pa.table({"bike": bikes, "city": cities}), mode=mode)
            trips = range(5000 * file, 5000 * file + 5000)
            bikes_of_trips = [trip * 7 % 400 for trip in trips]
            km = [trip % 10 + 0.5 for trip in trips]
            cursor.adbc_ingest("trips", pa.table({"bike": bikes_of_trips, "km": km}), mode=mode)


def plan(*queries: str) -> list:
    """The parts of each query, all of the same snapshot, and the schema of its rows."""
    with connect(autocommit=True) as connection, connection.cursor() as cursor:
        connection.adbc_connection.set_options(**{PARTITIONS: "4"})

        def newest() -> int:
            cursor.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")
            return cursor.fetchone()[0]

        while True:
            before = newest()
            plans = [cursor.adbc_execute_partitions(query) for query in queries]
            if newest() == before:
                return plans


def read(numbered: tuple) -> pd.DataFrame:
    number, part = numbered
    with connect(number) as connection, connection.cursor() as cursor:
        cursor.adbc_read_partition(part)
        return cursor.fetch_arrow_table().to_pandas()


def frame(planned: tuple) -> dd.DataFrame:
    parts, schema = planned
    return dd.from_map(read, list(enumerate(parts)), meta=schema.empty_table().to_pandas())


@delayed
def load(rows: pd.DataFrame, number: int) -> str:
    """Loads the rows of one worker into a table of its own; a second try replaces the first."""
    table = f"{RESULT}_part_{number}"
    with connect(number, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(
            table, pa.Table.from_pandas(rows, preserve_index=False), mode="replace"
        )
    return table


def publish(tables: list) -> None:
    """Makes the result of the tables of the workers, in one commit."""
    rows = " UNION ALL ".join(f"SELECT * FROM {table}" for table in tables)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE TABLE {RESULT} AS {rows}")
        for table in tables:
            cursor.execute(f"DROP TABLE {table}")
        connection.commit()


def main() -> None:
    make_tables()
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with cluster, Client(cluster):
        trips, bikes = plan("SELECT bike, km FROM trips", "SELECT bike, city FROM bikes")
        print(f"{len(trips[0])} parts of trips, {len(bikes[0])} of bikes")
        joined = frame(trips).merge(frame(bikes), on="bike", npartitions=3)
        loads = [load(rows, number) for number, rows in enumerate(joined.to_delayed())]
        publish(list(delayed(loads).compute()))
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT city, count(*), sum(km) FROM {RESULT} GROUP BY city ORDER BY city")
        for city, number, km in cursor.fetchall():
            print(f"{city}: {number} trips, {km} km")


if __name__ == "__main__":
    main()
