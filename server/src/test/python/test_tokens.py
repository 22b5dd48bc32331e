"""Tokens: of an identity provider, and those that a login is answered with."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time

import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import pyarrow.flight
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conftest import eventually

HASH = "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u"
USERS = json.dumps([{"name": "ana", "password_hash": HASH, "role": "admin"}])
PASSWORD = "a"
ISSUER = "https://provider.example.com"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider:
    """Publishes a key on this machine, and signs with it."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self.key.public_key().public_numbers()
        keys = {
            "keys": [
                {"kty": "RSA", "use": "sig", "kid": "k1", "n": number(public.n), "e": number(public.e)}
            ]
        }
        body = json.dumps(keys).encode()

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FLIGHT_JWT_ISSUER": ISSUER,
            "FLIGHT_JWT_AUDIENCE": "ducklake",
            "FLIGHT_JWT_JWKS_URL": f"http://127.0.0.1:{self.server.server_port}/keys",
        }

    def token(self, **changes) -> str:
        claims = {
            "iss": ISSUER,
            "aud": "ducklake",
            "sub": "ana",
            "role": "admin",
            "exp": int(time.time()) + 300,
            **changes,
        }
        header = encode(json.dumps({"alg": "RS256", "kid": "k1"}).encode())
        signed = f"{header}.{encode(json.dumps(claims).encode())}"
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encode(signature)}"

    def close(self) -> None:
        self.server.shutdown()


@pytest.fixture(scope="module")
def provider():
    one = Provider()
    yield one
    one.close()


def author(uri: str, token: str) -> str:
    """Writes with that token, and returns whom the lake has as the author."""
    options = {"adbc.flight.sql.authorization_header": f"Bearer {token}"}
    with (
        adbc_driver_flightsql.dbapi.connect(uri, db_kwargs=options, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE OR REPLACE TABLE t AS SELECT 1 AS i")
        cursor.execute("SELECT author FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1")
        return cursor.fetchone()[0]


def test_adbc_with_a_token_of_a_provider(start, provider):
    server = start(environment={**provider.environment, "FLIGHT_USERS": USERS}).wait()
    assert author(server.uri, provider.token()) == "jwt:ana"
    for wrong in (
        provider.token(aud="another"),
        provider.token(exp=int(time.time()) - 60),
        provider.token()[:-4] + "AAAA",
        "x",
    ):
        with pytest.raises(adbc_driver_manager.Error, match="(?i)unauthenticated"):
            author(server.uri, wrong)
    with pytest.raises(adbc_driver_manager.Error, match="no role reader, writer or admin in claim role"):
        author(server.uri, provider.token(role="boss"))
    # Users with passwords are there beside them.
    with server.connect(db_kwargs={"username": "ana", "password": PASSWORD}) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 42")
            assert cursor.fetchone()[0] == 42


def test_with_a_provider_alone_nobody_has_a_password(start, provider):
    server = start(environment=provider.environment).wait()
    assert author(server.uri, provider.token(sub="bo")) == "jwt:bo"
    with pyarrow.flight.connect(server.uri) as client:
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError):
            client.authenticate_basic_token("ana", PASSWORD)
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError):
            list(client.list_actions())


def test_a_provider_that_is_away_is_said_so(start):
    environment = {
        "FLIGHT_JWT_ISSUER": ISSUER,
        "FLIGHT_JWT_AUDIENCE": "ducklake",
        "FLIGHT_JWT_JWKS_URL": "http://127.0.0.1:9/keys",
    }
    server = start(environment=environment).wait()
    other = Provider()
    with pytest.raises(adbc_driver_manager.Error, match="keys cannot be fetched") as raised:
        author(server.uri, other.token())
    assert "127.0.0.1:9" not in str(raised.value)
    other.close()
    eventually(lambda: any("keys cannot be fetched" in line for line in server.errors))


def test_servers_that_share_a_secret_take_each_others_tokens(start, tmp_path):
    environment = {"FLIGHT_USERS": USERS, "FLIGHT_TOKEN_SECRET": "0123456789abcdef" * 2}
    first = start(lake=tmp_path / "one", environment=environment)
    second = start(lake=tmp_path / "two", environment=environment)
    stranger = start(lake=tmp_path / "three", environment={"FLIGHT_USERS": USERS})
    for server in (first, second, stranger):
        server.wait(60)
    with pyarrow.flight.connect(first.uri) as client:
        token = client.authenticate_basic_token("ana", PASSWORD)
    options = pyarrow.flight.FlightCallOptions(headers=[token])
    with pyarrow.flight.connect(second.uri) as client:
        assert list(client.list_actions(options))
    with pyarrow.flight.connect(stranger.uri) as client:
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError):
            list(client.list_actions(options))


def test_adbc_goes_on_longer_than_a_token_and_pyarrow_logs_in_again(start):
    server = start(environment={"FLIGHT_USERS": USERS, "FLIGHT_TOKEN_TTL": "3s"}).wait()
    with pyarrow.flight.connect(server.uri) as client:
        token = client.authenticate_basic_token("ana", PASSWORD)
        options = pyarrow.flight.FlightCallOptions(headers=[token])
        assert list(client.list_actions(options))
        with server.connect(db_kwargs={"username": "ana", "password": PASSWORD}) as connection:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMP TABLE mine AS SELECT 7 AS i")
                until = time.monotonic() + 8
                while time.monotonic() < until:
                    cursor.execute("SELECT i FROM temp.main.mine")
                    assert cursor.fetchone()[0] == 7
                    time.sleep(0.2)
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError, match="log in again"):
            list(client.list_actions(options))
        token = client.authenticate_basic_token("ana", PASSWORD)
        options = pyarrow.flight.FlightCallOptions(headers=[token])
        assert list(client.list_actions(options))


def test_a_server_that_asks_nobody_loads_nothing_of_tokens(start, tmp_path):
    log = tmp_path / "classes.log"
    # Comes after the options of the launcher, which turn such logs off.
    server = start(environment={"_JAVA_OPTIONS": f"-Xlog:class+load:file={log}"}).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 42")
    classes = log.read_text()
    assert "com.lokryn.ducklake.auth.SessionTokens" in classes
    assert "com.nimbusds" not in classes
    assert "com.lokryn.ducklake.auth.ProviderTokens" not in classes
