"""Writes a polars DataFrame to a table, and reads an aggregate of it back."""

import os

import adbc_driver_flightsql.dbapi as flight
import polars as pl

url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }

rides = pl.DataFrame({"bike": ["red", "blue", "red"], "km": [3.5, 12.0, 1.5]})

with flight.connect(url, db_kwargs=login, autocommit=True) as connection:
    written = rides.write_database("rides", connection, engine="adbc", if_table_exists="replace")
    print(written, "rows written")
    query = "SELECT bike, sum(km) AS km FROM rides WHERE km > ? GROUP BY bike ORDER BY bike"
    frame = pl.read_database(query, connection, execute_options={"parameters": (1.0,)})
    print(frame.to_dict(as_series=False))
