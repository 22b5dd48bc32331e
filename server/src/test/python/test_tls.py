"""TLS and logins, with the drivers and the commands that people use."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import pyarrow.flight
import pytest
import trustme

from conftest import LAUNCHER, eventually

HASH = "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u"
USERS = [{"name": "ana", "password_hash": HASH, "role": "admin"}]
PASSWORD = "a"


class Files:
    """An authority, and a server's certificate of it."""

    def __init__(self, directory: pathlib.Path):
        self.authority = trustme.CA()
        self.ca = directory / "ca.crt"
        self.certificate = directory / "server.crt"
        self.key = directory / "server.key"
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        self.authority.cert_pem.write_to_path(self.ca)
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        self.key.write_bytes(pkcs8(issued))
        self.client_certificate = directory / "client.crt"
        self.client_key = directory / "client.key"
        client = self.authority.issue_cert("ana@example.com")
        client.cert_chain_pems[0].write_to_path(self.client_certificate)
        self.client_key.write_bytes(pkcs8(client))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FLIGHT_TLS_CERTIFICATE": str(self.certificate),
            "FLIGHT_TLS_PRIVATE_KEY": str(self.key),
        }


def pkcs8(issued: trustme.LeafCert) -> bytes:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


def run(*arguments: str, environment: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LAUNCHER, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )


def select(uri: str, **options: str) -> int:
    with (
        adbc_driver_flightsql.dbapi.connect(uri, db_kwargs=options, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 42")
        return cursor.fetchone()[0]


def test_a_server_with_tls_and_users(start, files):
    server = start(environment={**files.environment, "FLIGHT_USERS": json.dumps(USERS)}).wait()
    assert server.uri.startswith("grpc+tls://127.0.0.1:")
    secure = {"adbc.flight.sql.client_option.tls_root_certs": files.ca.read_text()}
    assert select(server.uri, **secure, username="ana", password=PASSWORD) == 42

    with pytest.raises(adbc_driver_manager.Error, match="(?i)certificate"):
        select(server.uri, username="ana", password=PASSWORD)
    with pytest.raises(adbc_driver_manager.Error, match="no user with this password"):
        select(server.uri, **secure, username="ana", password="b")

    with pyarrow.flight.connect(server.uri, tls_root_certs=files.ca.read_bytes()) as client:
        token = client.authenticate_basic_token("ana", PASSWORD)
        assert list(client.list_actions(pyarrow.flight.FlightCallOptions(headers=[token])))
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError):
            client.authenticate_basic_token("nobody", PASSWORD)

    login = {"FLIGHT_URL": server.uri, "FLIGHT_USER": "ana", "FLIGHT_PASSWORD": PASSWORD}
    done = run("sql", "--tls-ca", str(files.ca), "--format", "csv", "SELECT 42 AS x", environment=login)
    assert (done.stdout, done.stderr) == ("x\n42\n", "")
    done = run("sql", "SELECT 42", environment={**login, "FLIGHT_TLS_CA": str(files.ca)})
    assert done.returncode == 0, done.stderr
    done = run("sql", "SELECT 42", environment=login)
    assert done.returncode == 69
    assert "--tls-ca" in done.stderr
    done = run("sql", "--tls-skip-verify", "SELECT 42", environment=login)
    assert done.returncode == 0
    assert "warning: --tls-skip-verify" in done.stderr
    done = run("health", "--url", server.uri.replace("grpc+tls", "grpc"))
    assert done.returncode == 69
    assert "speaks TLS, use grpc+tls://" in done.stderr
    # As the container's health check does, which shares the server's environment.
    own = {**files.environment, "FLIGHT_PORT": str(server.port)}
    assert run("health", environment=own).returncode == 0

    renewed = files.authority.issue_cert("localhost", "127.0.0.1")
    files.certificate.write_bytes(renewed.cert_chain_pems[0].bytes())
    files.key.write_bytes(pkcs8(renewed))
    eventually(lambda: any("use a new certificate" in line for line in server.errors), seconds=15)
    assert select(server.uri, **secure, username="ana", password=PASSWORD) == 42
    assert not any(HASH in line for line in server.lines + server.errors)
    assert server.stop() == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_clients_with_certificates(start, files):
    http = str(free_port())
    server = start(
        environment={
            **files.environment,
            "FLIGHT_TLS_CLIENT_CA": str(files.ca),
            "HTTP_PORT": http,
        }
    ).wait()
    secure = {"adbc.flight.sql.client_option.tls_root_certs": files.ca.read_text()}
    own = {
        "adbc.flight.sql.client_option.mtls_cert_chain": files.client_certificate.read_text(),
        "adbc.flight.sql.client_option.mtls_private_key": files.client_key.read_text(),
    }
    assert select(server.uri, **secure, **own) == 42
    with pytest.raises(adbc_driver_manager.Error, match="(?i)certificate"):
        select(server.uri, **secure)
    show = ("--tls-cert", str(files.client_certificate), "--tls-key", str(files.client_key))
    arguments = ("health", "--url", server.uri, "--tls-ca", str(files.ca))
    assert run(*arguments, *show).returncode == 0
    done = run(*arguments)
    assert done.returncode == 69
    assert "asks its clients for a certificate" in done.stderr
    # Without a certificate of its own it asks the HTTP port.
    environment = {**files.environment, "FLIGHT_TLS_CLIENT_CA": "x", "FLIGHT_PORT": str(server.port)}
    assert run("health", environment={**environment, "HTTP_PORT": http}).returncode == 0
    assert run("health", environment={**environment, "HTTP_PORT": "0"}).returncode == 69


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"FLIGHT_TLS_PRIVATE_KEY": "/none.key"}, "/none.key is not there"),
        ({"FLIGHT_TLS_PRIVATE_KEY": "client"}, "does not belong to the certificate"),
        (
            {"FLIGHT_USERS": json.dumps([{"name": "a", "password": "x1y2", "role": "admin"}])},
            "password in clear",
        ),
    ],
)
def test_a_start_that_is_refused(start, files, environment, text):
    environment = {
        key: str(files.client_key) if value == "client" else value
        for key, value in environment.items()
    }
    server = start(environment={**files.environment, **environment})
    assert server.process.wait(30) == 78
    server.stop()
    problem = [line for line in server.errors if line.startswith("✗")]
    assert len(problem) == 1 and text in problem[0]
    assert "x1y2" not in problem[0]


def test_users_open_an_address_that_others_reach(start):
    server = start("--host", "0.0.0.0", environment={"FLIGHT_USERS": json.dumps(USERS)}).wait()
    uri = f"grpc://127.0.0.1:{server.port}"
    assert select(uri, username="ana", password=PASSWORD) == 42
    with pytest.raises(adbc_driver_manager.Error, match="no user with this password"):
        select(uri)
    assert any("speaks no TLS" in line for line in server.errors)
