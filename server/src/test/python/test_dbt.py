"""The dbt adapter and its project under client-examples, as its page says."""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys

import adbc_driver_flightsql.dbapi
import pytest
from conftest import ROOT

ADAPTER = ROOT / "client-examples" / "dbt"
# In one process, as most of a run of dbt goes to its imports.
RUN = """
import sys
from dbt.cli.main import dbtRunner
for command in sys.argv[1:]:
    result = dbtRunner().invoke(command.split())
    if not result.success:
        sys.exit(f"{command}: {result.exception}")
"""


class Project:
    """A copy of the example's project, and a server for it."""

    def __init__(self, directory: pathlib.Path, environment: dict[str, str]):
        self.directory = directory
        shutil.copytree(ADAPTER / "project", directory, ignore=shutil.ignore_patterns("target", "logs"))
        self.environment = {**os.environ, **environment, "PYTHONPATH": str(ADAPTER)}

    def run(self, *commands: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *commands],
            cwd=self.directory,
            env={**self.environment, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def rows(self, sql: str) -> list[tuple]:
        options = {
            "username": self.environment["FLIGHT_USER"],
            "password": self.environment["FLIGHT_PASSWORD"],
            "adbc.flight.sql.client_option.tls_root_certs": pathlib.Path(
                self.environment["FLIGHT_TLS_CA"]
            ).read_text(),
        }
        with (
            adbc_driver_flightsql.dbapi.connect(
                self.environment["FLIGHT_URL"], db_kwargs=options, autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
            return cursor.fetchall()


def test_a_project_is_built_twice(secure, tmp_path):
    project = Project(tmp_path / "project", secure[1])
    project.run("build")
    assert project.rows("SELECT bike, trips, km, last_day::VARCHAR FROM bikes.bikes ORDER BY bike") == [
        ("blue", 1, 12.0, "2026-05-01"),
        ("red", 2, 5.0, "2026-05-02"),
    ]
    assert project.rows("SELECT count(*), min(bike) FROM bikes.trip_log") == [(4, "blue")]

    seed = project.directory / "seeds" / "trips.csv"
    with seed.open() as file:
        rows = list(csv.reader(file))
    rows[3][3:] = ["2.5", "2026-05-04 10:00:00"]
    rows.append(["5", "blue", "2026-05-03", "1", "2026-05-04 11:00:00"])
    with seed.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    project.run("build", "docs generate")

    assert project.rows("SELECT bike, trips, km FROM bikes.bikes ORDER BY bike") == [
        ("blue", 2, 13.0),
        ("red", 2, 6.0),
    ]
    # Merged: the changed row and the new one; the others as they were.
    assert project.rows("SELECT id, bike, km FROM bikes.trip_log ORDER BY id") == [
        (1, "red", 3.5),
        (2, "blue", 12.0),
        (3, "red", 2.5),
        (4, None, 7.25),
        (5, "blue", 1.0),
    ]
    # Deleted and inserted: the last day; the change of another day is not looked at.
    assert project.rows("SELECT day::VARCHAR, km FROM bikes.days ORDER BY day") == [
        ("2026-05-01", 15.5),
        ("2026-05-02", 1.5),
        ("2026-05-03", 8.25),
    ]
    assert project.rows(
        "SELECT id, km, dbt_valid_to::VARCHAR FROM bikes.trips_over_time WHERE id IN (3, 5) ORDER BY id, km"
    ) == [(3, 1.5, "2026-05-04 10:00:00"), (3, 2.5, None), (5, 1.0, None)]
    # Nothing of what dbt makes on the way is left.
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'bikes' ORDER BY ALL"
    assert [name for (name,) in project.rows(tables)] == [
        "bikes",
        "days",
        "known_trips",
        "trip_log",
        "trips",
        "trips_over_time",
    ]

    catalog = json.loads((project.directory / "target" / "catalog.json").read_text())
    assert not catalog["errors"]
    bikes = catalog["nodes"]["model.bikes.bikes"]
    assert bikes["metadata"]["comment"] == "What each bike has done."
    assert {name: column["type"] for name, column in bikes["columns"].items()} == {
        "bike": "VARCHAR",
        "trips": "BIGINT",
        "km": "DOUBLE",
        "last_day": "DATE",
    }
    assert bikes["columns"]["bike"]["comment"] == "The bike's name"
    assert catalog["nodes"]["model.bikes.known_trips"]["metadata"]["type"] == "VIEW"

    # A model that fails leaves what was there: the hook comes after the new table has taken the old one's place.
    model = project.directory / "models" / "bikes.sql"
    model.write_text(
        "{{ config(materialized='table', post_hook=\"SELECT error('stop')\") }}\n"
        + model.read_text().partition("\n")[2].replace("count(*)", "count(*) + 1")
    )
    with pytest.raises(AssertionError, match="stop"):
        project.run("run --select bikes")
    assert project.rows("SELECT sum(trips) FROM bikes.bikes") == [(4,)]
