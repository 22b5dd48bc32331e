"""Writes a pandas DataFrame to a table, and reads an aggregate of it back."""

import os

import adbc_driver_flightsql.dbapi as flight
import pandas as pd

url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }

rides = pd.DataFrame({"bike": ["red", "blue", "red"], "km": [3.5, 12.0, 1.5]})

with flight.connect(url, db_kwargs=login, autocommit=True) as connection:
    print(rides.to_sql("rides", connection, index=False, if_exists="replace"), "rows written")
    query = "SELECT bike, sum(km) AS km FROM rides GROUP BY bike ORDER BY bike"
    print(pd.read_sql(query, connection).to_dict("list"))
