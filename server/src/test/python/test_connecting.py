"""The page docs/connecting.md: its code runs against a server with TLS, users and an identity provider."""

import json
import os
import re
import subprocess

import pytest
from conftest import LAUNCHER, ROOT, Server
from test_tls import PASSWORD, USERS, Files
from test_tokens import Provider

PAGE = (ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server; a directory with what the page's code reads, and the environment for it."""
    directory = tmp_path_factory.mktemp("connecting")
    files = Files(directory)
    provider = Provider()
    environment = {**files.environment, **provider.environment, "FLIGHT_USERS": json.dumps(USERS)}
    server = Server(directory / "lake", environment=environment).wait()
    path = os.pathsep.join([os.path.dirname(LAUNCHER[0]), os.environ["PATH"]])
    yield (
        server,
        directory,
        {**os.environ, "FLIGHT_PASSWORD": PASSWORD, "FLIGHT_TOKEN": provider.token(), "PATH": path},
    )
    assert server.stop() == 0
    provider.close()


def here(code: str, server: Server) -> str:
    """The code with this server in the place of the page's."""
    code = code.replace("lake.example.com:31337", f"127.0.0.1:{server.port}")
    code = code.replace('host="lake.example.com"', 'host="127.0.0.1"')
    return code.replace("port=31337", f"port={server.port}")


def test_there_is_something_to_run():
    assert (len(PYTHON), len(SHELL)) == (6, 1)


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
@pytest.mark.filterwarnings("ignore")  # pandas would rather have SQLAlchemy
def test_python(own, code, monkeypatch, capsys):
    server, directory, environment = own
    monkeypatch.chdir(directory)
    for name in ("FLIGHT_PASSWORD", "FLIGHT_TOKEN"):
        monkeypatch.setenv(name, environment[name])
    assert "lake.example.com" in code
    exec(compile(here(code, server), "connecting.md", "exec"), {})
    assert re.search(r"42|main|ActionType", capsys.readouterr().out)


@pytest.mark.parametrize("code", SHELL, ids=range(len(SHELL)))
def test_shell(own, code):
    server, directory, environment = own
    done = subprocess.run(
        ["bash", "-c", here(code, server)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "42" in done.stdout) == (0, True), done.stderr
