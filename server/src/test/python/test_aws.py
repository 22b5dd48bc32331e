"""What the program has to do with AWS."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import threading
import time


def test_a_local_lake_loads_nothing_of_aws(start):
    """It starts in half a second, which the SDK alone would take."""
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    pid = server.process.pid
    jcmd = pathlib.Path(f"/proc/{pid}/exe").resolve().with_name("jcmd")
    classes = subprocess.run(
        [jcmd, str(pid), "VM.class_hierarchy"], capture_output=True, text=True, check=True
    ).stdout
    assert "com.lokryn.ducklake.config.Settings" in classes
    assert "software.amazon" not in classes
    assert "com.lokryn.ducklake.aws" not in classes
    # Nor what only passwords and certificates need.
    assert "org.bouncycastle" not in classes
    assert "com.lokryn.ducklake.auth.TlsMaterial" not in classes


class Trap:
    """Listens, and counts who comes."""

    def __init__(self):
        self.visits = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                visitor, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()


def peers(pid: int) -> set[tuple[str, str, int]]:
    """The kind, the other side's address and its port of each socket that a process has connected."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    found = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[2].split(":")
            if fields[9] in inodes and int(port, 16) != 0:
                found.add((kind, address, int(port, 16)))
    return found


def test_a_local_lake_calls_nobody(start, tmp_path):
    """Whatever the environment says of AWS: no socket but those of its clients."""
    traps = {
        name: Trap()
        for name in (
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            "AWS_ENDPOINT_URL_MARKETPLACE_METERING",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "HTTPS_PROXY",
            "HTTP_PROXY",
        )
    }
    environment = {name: f"http://127.0.0.1:{trap.port}" for name, trap in traps.items()}
    environment |= {
        "AWS_ACCESS_KEY_ID": "AKIATESTING",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "MARKETPLACE_PRODUCT_CODE": "product",
        "MARKETPLACE_USAGE_DIMENSION": "queries",
        "MARKETPLACE_USAGE_UNIT": "query_seconds",
        "S3_BUCKET_URL": "s3://my-bucket",
    }
    server = start(environment=environment)
    seen: set[tuple[str, str, int]] = set()
    done = threading.Event()

    def watch():
        while not done.wait(0.01):
            try:
                seen.update(peers(server.process.pid))
            except OSError:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        server.wait()
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT range AS i FROM range(100000)")
            cursor.execute("SELECT sum(i) FROM t")
            assert cursor.fetchall()[0][0] == 4999950000
            # It was watched: at least its client has been seen.
            clients = peers(server.process.pid)
            assert clients
            time.sleep(1)
    finally:
        done.set()
        watcher.join()
    assert seen >= clients
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    assert {peer for peer in seen if peer[1] not in loopback} == set()
    assert {peer[2] for peer in seen} & {trap.port for trap in traps.values()} == set()
    assert {name: trap.visits for name, trap in traps.items()} == dict.fromkeys(traps, 0)
