"""The command that makes hashes for flight_users."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time

import pyarrow.flight
import pytest

from conftest import LAUNCHER

HASH = r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"


def hashed(text: str | bytes) -> subprocess.CompletedProcess:
    data = text.encode() if isinstance(text, str) else text
    return subprocess.run([*LAUNCHER, "hash-password"], input=data, capture_output=True, timeout=60)


def test_its_hash_lets_one_log_in(start):
    password = "pässword with spaces "
    one = hashed(password + "\nsecond line\n")
    assert (one.returncode, one.stderr) == (0, b"")
    text = one.stdout.decode()
    assert re.fullmatch(HASH + "\n", text)
    assert password.strip() not in text
    other = hashed(password).stdout.decode()
    assert re.fullmatch(HASH + "\n", other)
    assert other != text, "the salt is another one each time"

    users = [{"name": "ana", "password_hash": text.strip(), "role": "admin"}]
    server = start(environment={"FLIGHT_USERS": json.dumps(users)}).wait()
    with pyarrow.flight.connect(server.uri) as client:
        assert client.authenticate_basic_token("ana", password)
        with pytest.raises(pyarrow.flight.FlightUnauthenticatedError):
            client.authenticate_basic_token("ana", password.strip())


@pytest.mark.parametrize("text", ["", "\n", "\r\nsecond"])
def test_an_empty_password_is_refused(text):
    done = hashed(text)
    assert done.returncode == 64
    assert done.stdout == b""
    assert b"the password is empty" in done.stderr


def typed(*answers: str) -> tuple[int, str]:
    """Answers its questions on a terminal, and returns what was shown there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(LAUNCHER[0], [*LAUNCHER, "hash-password"])
    shown = b""
    pending = list(answers)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        if pending and shown.rstrip().endswith(b":") and shown.count(b": ") > len(answers) - len(pending):
            os.write(terminal, (pending.pop(0) + "\n").encode())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_on_a_terminal_it_asks_twice_and_shows_nothing():
    code, shown = typed("secret one", "secret one")
    assert code == 0, shown
    assert "secret" not in shown
    assert re.search(HASH, shown)
    code, shown = typed("secret one", "secret two")
    assert code == 64, shown
    assert "secret" not in shown
    assert "two different passwords" in shown
