"""Queries with pyarrow alone: its Flight client, and the one Flight SQL command that a query needs."""

import os

import pyarrow.flight as flight


def command(sql: str) -> bytes:
    """The command CommandStatementQuery of Flight SQL, which is a protobuf message in another (Any)."""

    def field(number: int, payload: bytes) -> bytes:
        size, length = len(payload), bytearray()
        while size > 127:
            length.append(size & 127 | 128)
            size >>= 7
        return bytes([number << 3 | 2, *length, size]) + payload

    kind = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, kind) + field(2, field(1, sql.encode()))


def read(sql: str) -> flight.FlightStreamReader:
    """Runs a statement, queries or others: the rows of its result, as they come."""
    descriptor = flight.FlightDescriptor.for_command(command(sql))
    (endpoint,) = client.get_flight_info(descriptor, options).endpoints
    return client.do_get(endpoint.ticket, options)


# pyarrow has names of its own for what others call grpc://.
url = os.environ.get("FLIGHT_URL", "grpc://127.0.0.1:31337").replace("grpc://", "grpc+tcp://")
tls = {}
if os.environ.get("FLIGHT_TLS_CA"):
    with open(os.environ["FLIGHT_TLS_CA"], "rb") as authority:
        tls = {"tls_root_certs": authority.read()}

with flight.connect(url, **tls) as client:
    options = flight.FlightCallOptions()
    if os.environ.get("FLIGHT_USER"):
        user, password = os.environ["FLIGHT_USER"], os.environ.get("FLIGHT_PASSWORD", "")
        # The answer is the header of the calls that follow, with a token in it.
        options = flight.FlightCallOptions(headers=[client.authenticate_basic_token(user, password)])

    read("CREATE OR REPLACE TABLE steps AS SELECT i AS step, i % 7 AS day FROM range(70_000) t(i)").read_all()
    table = read("SELECT day, count(*) AS steps FROM steps WHERE day < 2 GROUP BY day ORDER BY day").read_all()
    print(table.to_pydict())

    rows = 0
    for batch in read("FROM steps"):
        rows += batch.data.num_rows
    print(rows, "rows in batches")
