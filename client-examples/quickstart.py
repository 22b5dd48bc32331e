"""Creates a table, loads rows into it in bulk, and queries them, with the ADBC Flight SQL driver."""

import os

import adbc_driver_flightsql.dbapi as flight
import pyarrow as pa

url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }

cities = pa.table({"city": ["Bern", "Lima", "Oslo", "Pune"], "people": [134, 10_092, 709, 3_124]})

with flight.connect(url, db_kwargs=login, autocommit=True) as connection:
    with connection.cursor() as cursor:
        rows = cursor.adbc_ingest("cities", cities, mode="replace")
        print(f"{rows} rows loaded")

        cursor.execute("SELECT city, people FROM cities WHERE people > ? ORDER BY people", (1000,))
        print(cursor.fetch_arrow_table().to_pydict())
