"""What the program has to do with AWS."""

from __future__ import annotations

import pathlib
import subprocess


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
