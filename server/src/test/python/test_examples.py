"""What is under client-examples runs, and prints what its README says."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

import jupyter_client
import nbclient
import nbformat
import pytest
from conftest import LAUNCHER, ROOT
from test_go import TESTS as GO_TESTS
from test_go import find_go, reason_to_skip_go

EXAMPLES = ROOT / "client-examples"
# Blocks of a terminal's text: commands, each with what it prints.
TERMINALS = [
    re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    for block in re.findall(
        r"^```\n(\$ .*?)^```", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
]
SCRIPTS = {
    command.removeprefix("python "): output
    for terminal in TERMINALS
    for command, output in terminal
    if re.fullmatch(r"python \w+\.py", command)
}
OTHERS = [
    terminal for terminal in TERMINALS if not re.fullmatch(r"python \w+\.py", terminal[0][0])
]


def java_home() -> str:
    """The JDK that the launcher would take."""
    find = ". bin/lib/common.sh && find_jdk javac && echo $JAVA_HOME"
    return subprocess.run(
        ["bash", "-c", find], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def environment(server) -> dict[str, str]:
    return {**os.environ, "FLIGHT_URL": server.uri, "FLIGHT_USER": "", "FLIGHT_PASSWORD": ""}


def test_all_are_in_the_readme():
    assert set(SCRIPTS) == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script(environment, name):
    if name == "ray_read.py" and importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    run = subprocess.run(
        [sys.executable, EXAMPLES / name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == SCRIPTS[name]


@pytest.mark.parametrize("terminal", OTHERS, ids=[terminal[0][0] for terminal in OTHERS])
def test_a_terminal(secure, terminal):
    """Commands as the page has them, in its directory, with TLS and a login."""
    path = [os.path.dirname(LAUNCHER[0]), os.environ["PATH"]]
    own = {**os.environ, **secure[1]}
    if any("java" in command for command, _ in terminal):
        own["JAVA_HOME"] = java_home()
        path.insert(0, own["JAVA_HOME"] + "/bin")
    if any("go run" in command for command, _ in terminal):
        if reason := reason_to_skip_go():
            pytest.skip(reason)
        path.insert(0, os.path.dirname(find_go()))
    own["PATH"] = os.pathsep.join(path)
    for command, output in terminal:
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=EXAMPLES,
            env=own,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, (command, run.stdout, run.stderr)
        # Maven resets a terminal's colours, also where there is none.
        assert re.sub(r"\x1b\[\d*m", "", run.stdout) == output, command


def printed(notebook) -> list[list[str]]:
    """What each cell printed, and the value that it ended with, as text."""
    return [
        [
            output["text"] if output.output_type == "stream" else output["data"]["text/plain"]
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_pyarrow_alone_with_a_login(secure):
    run = subprocess.run(
        [sys.executable, EXAMPLES / "pyarrow_flight.py"],
        env={**os.environ, **secure[1]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (0, SCRIPTS["pyarrow_flight.py"]), run.stderr


def test_the_notebook(environment, monkeypatch, tmp_path):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    saved = printed(notebook)
    assert sum(map(bool, saved)) > 3
    # Through files, as its ports would be open to everyone on the machine.
    manager = jupyter_client.KernelManager(kernel_name="python3", transport="ipc", ip=str(tmp_path / "kernel"))
    nbclient.NotebookClient(notebook, km=manager, timeout=60).execute()
    assert printed(notebook) == saved


def versions(pom: pathlib.Path) -> dict[str, str]:
    """Versions in a pom.xml: of its properties, and of libraries and plugins by name."""
    space = {"": "http://maven.apache.org/POM/4.0.0"}
    root = xml.parse(pom).getroot()
    found = {
        one.tag.rpartition("}")[2]: one.text for one in root.find("properties", space) if one.text
    }
    for one in [*root.iterfind(".//dependency", space), *root.iterfind(".//plugin", space)]:
        version = one.findtext("version", namespaces=space)
        if version:
            found[one.findtext("artifactId", namespaces=space)] = version
    return found


def test_the_versions_in_java_are_those_of_the_server():
    own = versions(EXAMPLES / "java" / "pom.xml")
    servers = versions(ROOT / "pom.xml") | versions(ROOT / "server" / "pom.xml")
    # Version 17 of the language is enough for them.
    assert own.pop("maven.compiler.release") == "17"
    assert {"arrow.version", "grpc.version", "flight-sql-jdbc-driver"} <= set(own)
    assert own == {name: servers.get(name) for name in own}


def test_the_versions_in_go_are_those_of_the_tests():
    def required(module: pathlib.Path) -> str:
        return (module / "go.mod").read_text().partition("\n")[2]

    assert required(EXAMPLES / "go") == required(GO_TESTS)
