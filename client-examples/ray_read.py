"""Reads a table into Ray Data, each of its parts by a task of its own, all of one snapshot."""

import os

import adbc_driver_flightsql.dbapi as flight
import pyarrow as pa
import ray
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

PARTITIONS = "adbc.flight.sql.session.option.partitions"

url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }


def read(part: bytes, url: str, options: dict[str, str]) -> pa.Table:
    with flight.connect(url, db_kwargs=options) as connection, connection.cursor() as cursor:
        cursor.adbc_read_partition(part)
        return cursor.fetch_arrow_table()


class Query(Datasource):
    """The rows of one table, in at most as many parts as Ray has room for."""

    def __init__(self, sql: str, url: str, options: dict[str, str]):
        super().__init__()
        self.sql, self.url, self.options = sql, url, options

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_, **__) -> list[ReadTask]:
        with flight.connect(self.url, db_kwargs=self.options, autocommit=True) as connection:
            connection.adbc_connection.set_options(**{PARTITIONS: str(min(parallelism, 64))})
            with connection.cursor() as cursor:
                parts, schema = cursor.adbc_execute_partitions(self.sql)
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        # Not self: it would go to each of the tasks.
        here, options = self.url, self.options
        return [
            ReadTask(lambda part=part: [read(part, here, options)], unknown, schema=schema)
            for part in parts
        ]


if __name__ == "__main__":
    with flight.connect(url, db_kwargs=login, autocommit=True) as connection:
        with connection.cursor() as cursor:
            for file in range(4):
                rows = pa.table({"city": ["Lima", "Oslo"] * 500, "km": [file + 0.5] * 1000})
                cursor.adbc_ingest("rides_of_ray", rows, mode="append" if file else "replace")

    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.default_hash_shuffle_parallelism = 2
    rides = ray.data.read_datasource(Query("SELECT city, km FROM rides_of_ray", url, login))
    for city in rides.groupby("city").sum("km").sort("city").take_all():
        print(city)
    ray.shutdown()
