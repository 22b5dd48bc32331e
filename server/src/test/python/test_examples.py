"""The scripts under client-examples print what their README says."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "client-examples"
OUTPUTS = dict(
    re.findall(
        r"^\$ python (\S+)\n(.*?)(?=^\$|^```)",
        (EXAMPLES / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


def test_all_are_in_the_readme():
    assert set(OUTPUTS) == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_example(server, name):
    run = subprocess.run(
        [sys.executable, EXAMPLES / name],
        env={**os.environ, "FLIGHT_URL": server.uri, "FLIGHT_USER": "", "FLIGHT_PASSWORD": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == OUTPUTS[name]
