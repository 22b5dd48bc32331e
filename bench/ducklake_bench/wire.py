"""The few Flight SQL messages that are needed, built and read by hand: no generated code."""

from __future__ import annotations

from collections.abc import Iterator

_TYPE_URL = "type.googleapis.com/arrow.flight.protocol.sql."
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DESCRIPTOR_IS_COMMAND = 2


def statement_query(sql: str) -> bytes:
    return _any("CommandStatementQuery", _field(1, sql.encode()))


def prepared_query(handle: bytes) -> bytes:
    return _any("CommandPreparedStatementQuery", _field(1, handle))


def create_prepared(sql: str) -> bytes:
    """An Action."""
    body = _any("ActionCreatePreparedStatementRequest", _field(1, sql.encode()))
    return _field(1, b"CreatePreparedStatement") + _field(2, body)


def close_prepared(handle: bytes) -> bytes:
    """An Action."""
    body = _any("ActionClosePreparedStatementRequest", _field(1, handle))
    return _field(1, b"ClosePreparedStatement") + _field(2, body)


def descriptor(command: bytes) -> bytes:
    return bytes([1 << 3 | _VARINT, _DESCRIPTOR_IS_COMMAND]) + _field(2, command)


def prepared_handle(result: bytes) -> bytes:
    """The statement's handle in the Result of CreatePreparedStatement."""
    packed = first(result, 1)
    return first(first(packed, 2), 1)


def tickets(flight_info: bytes) -> list[bytes]:
    """The Ticket messages of a FlightInfo's endpoints, ready to be sent to DoGet."""
    return [first(endpoint, 1) for endpoint in _all(flight_info, 3)]


def first(message: bytes, number: int) -> bytes:
    return next(_all(message, number))


def _any(name: str, value: bytes) -> bytes:
    return _field(1, (_TYPE_URL + name).encode()) + _field(2, value)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _all(message: bytes, number: int) -> Iterator[bytes]:
    """The values of a repeated field of bytes; other fields are passed over."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind == _BYTES:
            size, at = _read_varint(message, at)
            if key >> 3 == number:
                yield message[at : at + size]
            at += size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"not a protobuf message: wire type {kind}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
