"""The distribution archive, which is what the image holds: unpacked, and started as the image starts it."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import adbc_driver_flightsql.dbapi
import pytest
import yaml
from conftest import LISTENING, ROOT

_IMAGE = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
_USER = int(re.search(r"^USER (\d+):\1$", _IMAGE, re.MULTILINE)[1])
_VOLUME = re.search(r"^VOLUME (\S+)$", _IMAGE, re.MULTILINE)[1]
_ENVIRONMENT = dict(
    re.findall(r"(?:^ENV|^) +(\w+)=(\S+)", _IMAGE.split("\nENV", 1)[1].split("\nEXPOSE")[0], re.MULTILINE)
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="starts processes of another user")


@pytest.fixture(scope="module")
def archive() -> Path:
    made = subprocess.run([ROOT / "bin" / "package"], capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())


@pytest.fixture(scope="module")
def program(archive, tmp_path_factory) -> Path:
    """Unpacked, prepared, and closed to everyone but root's reading."""
    where = tmp_path_factory.mktemp("unpacked")
    for directory in (where, *where.parents):
        if directory.stat().st_uid == os.geteuid() and not directory.stat().st_mode & 0o001:
            directory.chmod(directory.stat().st_mode | 0o055)
    subprocess.run(["tar", "-xzf", archive, "-C", where], check=True)
    (home,) = where.iterdir()
    subprocess.run([home / "bin" / "ducklake-flight", "prepare"], check=True, env=_plain(where), timeout=300)
    return home


@pytest.fixture
def volume(program) -> Path:
    """The one place that the program writes to."""
    made = program.parent / "volume"
    made.mkdir(mode=0o700)
    os.chown(made, _USER, _USER)
    yield made
    shutil.rmtree(made)


def _plain(volume: Path) -> dict[str, str]:
    """The image's environment, and nothing of this machine's."""
    environment = {name: value.replace(_VOLUME, str(volume)) for name, value in _ENVIRONMENT.items()}
    return {"PATH": "/usr/bin:/bin", **environment}


def _as_user(volume: Path) -> dict:
    return {
        "env": _plain(volume),
        "cwd": volume,
        "user": _USER,
        "group": _USER,
        "extra_groups": [],
        "text": True,
    }


def test_the_image_is_made_of_what_its_build_is_given():
    copied = [
        source
        for sources in re.findall(r"^COPY ((?!--).*) \S+$", _IMAGE, re.MULTILINE)
        for source in sources.split()
    ]
    ignored, *given = (ROOT / ".dockerignore").read_text().split()
    assert ignored == "**"
    assert sorted(given) == sorted("!" + source for source in copied)
    # Without the options there the compiler does not start.
    assert ".mvn" in copied


def test_the_checksum_is_that_of_the_archive(archive):
    sum_, name = archive.with_name(archive.name + ".sha256").read_text().split()
    assert name == archive.name
    assert sum_ == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_the_archive_has_nothing_of_where_and_when_it_was_made(archive):
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names, key=lambda name: name.split("/"))
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}
    assert len({member.mtime for member in members}) == 1
    assert not [name for name in names if name.endswith(".aot") or name.endswith(("/built", ".lock", ".log"))]


def test_the_name_has_the_version(archive, program):
    version = (program / "version").read_text().strip()
    assert archive.name.startswith(f"ducklake-flight-{version}-linux-")
    said = subprocess.run(
        [program / "bin" / "ducklake-flight", "--version"], capture_output=True, text=True, check=True
    )
    assert f"ducklake-flight {version}" in said.stdout
    pom = (ROOT / "pom.xml").read_text("utf-8")
    assert pom.count(version) == 1 and f"<revision>{version}</revision>" in pom


def test_every_part_has_its_notice(program):
    import json

    notices = (program / "THIRD-PARTY.txt").read_text("utf-8")
    for part in json.loads((program / "sbom.json").read_text("utf-8"))["components"]:
        line = f"{part['group']}:{part['name']} {part['version']}: "
        (found,) = [one for one in notices.splitlines() if one.startswith(line)]
        assert len(found) > len(line), found
    assert "ducklake, httpfs and postgres_scanner" in notices
    assert (program / "runtime" / "legal" / "java.base").is_dir()
    assert (program / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")


def test_it_starts_with_nothing_of_the_machine_and_writes_to_its_volume_only(program, volume):
    before = _state(program)
    server = subprocess.Popen(
        [program / "bin" / "ducklake-flight", "serve", f"--local={volume}/lake", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **_as_user(volume),
    )
    try:
        said = []
        for line in server.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith(LISTENING):
                break
        assert said and said[-1].startswith(LISTENING), (said, server.stderr.read())
        uri = said[-1].removeprefix(LISTENING)
        executable = os.readlink(f"/proc/{server.pid}/exe")
        assert executable == str(program / "runtime" / "bin" / "java")
        with adbc_driver_flightsql.dbapi.connect(uri, autocommit=True) as one, one.cursor() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT i FROM range(100000) r(i)")
            cursor.execute("SELECT sum(i) FROM t")
            assert cursor.fetchone() == (4999950000,)
        health = subprocess.run(
            [program / "bin" / "ducklake-flight", "health", "--url", uri], **_as_user(volume), timeout=60
        )
        assert health.returncode == 0
        open_files = {
            os.readlink(link)
            for link in Path(f"/proc/{server.pid}/fd").iterdir()
            if os.path.exists(link)
        }
        written = [
            file
            for file in open_files
            if file.startswith("/") and not file.startswith(("/dev", "/proc", "/sys", str(program)))
        ]
        assert written and all(file.startswith(str(volume)) for file in written), written
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    # The log is JSON, as in the image.
    assert all(line.startswith("{") for line in server.stderr.read().splitlines())
    assert _state(program) == before


def _state(directory: Path) -> dict[str, float]:
    return {str(path): path.lstat().st_mtime for path in directory.rglob("*")}


def test_compose_and_image_agree():
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
    server = compose["services"]["server"]
    assert server["read_only"]
    assert [volume.split(":")[1] for volume in server["volumes"]] == [_VOLUME]
    exposed = set(re.search(r"^EXPOSE (.*)$", _IMAGE, re.MULTILINE)[1].split())
    assert {port.rsplit(":", 1)[1] for port in server["ports"]} == exposed
    health = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", _IMAGE, re.MULTILINE)[1]
    assert server["healthcheck"]["test"] == ["CMD", *yaml.safe_load(health)]
