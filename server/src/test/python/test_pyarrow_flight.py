"""pyarrow's own Flight client, without any driver."""

import pyarrow.flight as flight
import pytest


def command(query: str) -> bytes:
    """Any { CommandStatementQuery { query } } as bytes."""

    def field(number: int, payload: bytes) -> bytes:
        size, length = len(payload), b""
        while size > 0x7F:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + payload

    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, url) + field(2, field(1, query.encode()))


@pytest.fixture
def client(server):
    with flight.connect(server.uri.replace("grpc://", "grpc+tcp://")) as one:
        yield one


def info(client, query: str):
    return client.get_flight_info(flight.FlightDescriptor.for_command(command(query)))


def test_query(client):
    answer = info(client, "SELECT i, i::VARCHAR AS s FROM range(100000) t(i)")
    assert answer.schema.names == ["i", "s"]
    (endpoint,) = answer.endpoints
    assert endpoint.locations == []
    table = client.do_get(endpoint.ticket).read_all()
    assert table.schema == answer.schema
    assert table.num_rows == 100_000
    assert table.column("i").to_pylist() == list(range(100_000))


def test_a_ticket_from_another_connection(server, client):
    answer = info(client, "SELECT 7 AS i")
    with flight.connect(server.uri.replace("grpc://", "grpc+tcp://")) as other:
        assert other.do_get(answer.endpoints[0].ticket).read_all().to_pydict() == {"i": [7]}


def test_what_is_no_flight_sql_is_refused(client):
    for descriptor in (
        flight.FlightDescriptor.for_command(b"SELECT 1"),
        flight.FlightDescriptor.for_command(b"\xff\xff\xff"),
        flight.FlightDescriptor.for_path("table"),
    ):
        with pytest.raises((flight.FlightError, KeyError, ValueError)):
            client.get_flight_info(descriptor)
    with pytest.raises((flight.FlightError, KeyError, ValueError)):
        client.do_get(flight.Ticket(b"nonsense")).read_all()
    with pytest.raises((flight.FlightError, NotImplementedError)):
        list(client.do_action(flight.Action("Nonsense", b"")))
    assert "CreatePreparedStatement" in {action.type for action in client.list_actions()}
