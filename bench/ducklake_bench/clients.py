"""Clients nearer to the wire than ADBC: pyarrow.flight for streams, grpcio for single calls."""

from __future__ import annotations

from collections.abc import Generator

import grpc
import pyarrow as pa
import pyarrow.flight as flight

from ducklake_bench import BenchFailure, WrongResult, wire

CALL_TIMEOUT_S = 60.0


def batches_of(reader: flight.FlightStreamReader) -> Generator[pa.RecordBatch, None, None]:
    """Closing it early cancels the call."""
    finished = False
    try:
        for chunk in reader:
            yield chunk.data
        finished = True
    finally:
        if not finished:
            reader.cancel()


class RawFlight:
    """GetFlightInfo, then DoGet of each endpoint in order."""

    def __init__(self, uri: str) -> None:
        self._client = flight.FlightClient(uri)

    def stream(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """Closing it early cancels the query."""
        command = wire.statement_query(sql)
        info = self._client.get_flight_info(flight.FlightDescriptor.for_command(command))
        for endpoint in info.endpoints:
            yield from batches_of(self._client.do_get(endpoint.ticket))

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> RawFlight:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class GrpcCalls:
    """Single calls on one channel, with bytes in and out: the same client for query and floor."""

    def __init__(self, uri: str) -> None:
        scheme, _, address = uri.partition("://")
        if scheme not in ("grpc", "grpc+tcp"):
            raise BenchFailure(f"the benchmark speaks grpc:// only, not {scheme}://")
        # Without its own pool, channels to one address would share one connection.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=options)
        service = "/arrow.flight.protocol.FlightService/"
        self._info = self._channel.unary_unary(service + "GetFlightInfo")
        self._get = self._channel.unary_stream(service + "DoGet")
        self._action = self._channel.unary_stream(service + "DoAction")

    def prepared(self, sql: str) -> None:
        """Four calls."""
        [created] = self._action(wire.create_prepared(sql), timeout=CALL_TIMEOUT_S)
        handle = wire.prepared_handle(created)
        self._fetch(wire.prepared_query(handle))
        for _ in self._action(wire.close_prepared(handle), timeout=CALL_TIMEOUT_S):
            pass

    def _fetch(self, command: bytes) -> None:
        info = self._info(wire.descriptor(command), timeout=CALL_TIMEOUT_S)
        for ticket in wire.tickets(info):
            messages = sum(1 for _ in self._get(ticket, timeout=CALL_TIMEOUT_S))
            if messages < 2:
                raise WrongResult(f"{messages} messages instead of a schema and a batch")

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> GrpcCalls:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
