#!/usr/bin/env bash
# Loads a file and queries it, with the program's own client. It reads FLIGHT_URL, FLIGHT_USER, FLIGHT_PASSWORD and
# FLIGHT_TLS_CA by itself; ducklake-flight has to be on the PATH.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
printf 'city,people\nBern,134\nLima,10092\nOslo,709\n' >"$work/towns.csv"

ducklake-flight ingest --mode replace "$work/towns.csv" towns
ducklake-flight sql --format csv "SELECT city, people FROM towns WHERE people > 500 ORDER BY city"
ducklake-flight sql --format json <<'SQL'
DELETE FROM towns WHERE city = 'Bern';
SELECT count(*) AS towns, sum(people) AS people FROM towns;
SQL
