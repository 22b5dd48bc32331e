"""The list of what the program is made of, for scanners of known vulnerabilities."""

import json
import re

from conftest import ROOT

DISTRIBUTION = ROOT / "server" / "target" / "dist"


def test_the_list_has_every_library():
    listed = json.loads((DISTRIBUTION / "sbom.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    components = {f"{part['name']}-{part['version']}": part for part in listed["components"]}
    jars = [jar.stem for jar in (DISTRIBUTION / "lib").glob("*.jar")]
    assert len(jars) > 50
    classified = re.compile(r"-(linux|osx|windows)-(x86_64|aarch_64|aarch64)$")
    for jar in (name for name in jars if not name.startswith("ducklake-flight")):
        found = components.get(classified.sub("", jar))
        assert found, f"{jar} is not in the list"
        assert found["purl"].startswith("pkg:maven/")
        assert found["hashes"]
    # Nothing of the tests is said to be in the program.
    assert not [name for name in components if name.startswith(("junit", "assertj", "archunit"))]
