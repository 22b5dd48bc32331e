"""Changes two tables in one transaction: both or neither."""

import os

import adbc_driver_flightsql.dbapi as flight

url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337")
login = {}
if os.environ.get("FLIGHT_USER"):
    login = {
        "username": os.environ["FLIGHT_USER"],
        "password": os.environ.get("FLIGHT_PASSWORD", ""),
    }

with flight.connect(url, db_kwargs=login) as connection, connection.cursor() as cursor:
    cursor.execute("CREATE OR REPLACE TABLE cash (amount INT)")
    cursor.execute("CREATE OR REPLACE TABLE bank (amount INT)")
    cursor.execute("INSERT INTO cash VALUES (100)")
    connection.commit()

    cursor.execute("DELETE FROM cash")
    cursor.execute("INSERT INTO bank VALUES (100)")
    connection.rollback()
    cursor.execute("SELECT (SELECT max(amount) FROM cash), (SELECT max(amount) FROM bank)")
    print("after the rollback:", cursor.fetchone())

    cursor.execute("DELETE FROM cash")
    cursor.execute("INSERT INTO bank VALUES (100)")
    connection.commit()
    cursor.execute("SELECT (SELECT max(amount) FROM cash), (SELECT max(amount) FROM bank)")
    print("after the commit:", cursor.fetchone())
