"""`maintain` on a lake in a directory."""

import subprocess

import pytest
from conftest import LAUNCHER


def maintain(*arguments: str, environment: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LAUNCHER, "maintain", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )


def steps(lines: str) -> dict[str, str]:
    """The text of each step's line, by its name."""
    return {
        words[1]: words[2]
        for words in (line.split(maxsplit=2) for line in lines.splitlines())
        if len(words) == 3 and words[0] == "✓"
    }


@pytest.fixture
def lake(start, tmp_path):
    """A lake with 30 files and 5 rows in the catalog, and its server stopped."""
    server = start().wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (i INTEGER)")
        for i in range(30):
            cursor.execute(f"INSERT INTO t SELECT {i} FROM range(20)")
        for i in range(5):
            cursor.execute(f"INSERT INTO t VALUES ({i})")
    server.process.terminate()
    assert server.process.wait(30) == 0
    return server.lake


def test_a_pass(lake, start):
    files = sorted((lake / "data").rglob("*.parquet"))
    assert len(files) == 30

    dry = maintain(f"--local={lake}", "--dry-run", "--retention", "0s")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.startswith("Nothing is changed. A pass would have:\n")
    assert "5 inlined rows of 1 table written into files" in dry.stdout
    assert "up to 30 files of 1 table merged" in dry.stdout
    assert sorted((lake / "data").rglob("*.parquet")) == files

    done = maintain(f"--local={lake}")
    assert (done.returncode, done.stderr) == (0, "")
    assert steps(done.stdout) == {
        "flush": "5 inlined rows of 1 table written into files",
        "expire": "0 snapshots expired",
        "merge": "31 files merged into 1",
        "rewrite": "0 files written anew as 0",
        "orphans": "0 files found that writers left behind",
        "cleanup": "31 files deleted",
        "the": "lake is maintained",
    }
    assert len(list((lake / "data").rglob("*.parquet"))) == 1

    server = start(lake=lake).wait()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(i)::BIGINT FROM t")
        assert cursor.fetchone() == (605, 20 * sum(range(30)) + 10)
        cursor.execute("SELECT count(*) FROM t AT (VERSION => 11)")
        assert cursor.fetchone() == (200,)


def test_a_lake_that_a_server_holds(start):
    server = start().wait()
    done = maintain(f"--local={server.lake}")
    assert done.returncode == 69
    assert done.stdout == ""
    assert done.stderr.startswith(f"✗ the lake in {server.lake} is in use by another process")


def test_no_lake(tmp_path):
    done = maintain(f"--local={tmp_path / 'nothing'}")
    assert (done.returncode, done.stdout) == (69, "")
    assert "there is no lake in" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_wrong_settings(lake):
    done = maintain(f"--local={lake}", "--retention", "soon")
    assert done.returncode == 78
    assert "snapshot_retention (from the command line) is a duration" in done.stderr
    assert maintain("--retain", "7d").returncode == 64
