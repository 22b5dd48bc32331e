"""What a file names, as the server has it: its lake, its data, and the directories of the tests.

DuckLake's tests attach a lake of their own, which a server does not let its clients do. The fresh
lake that the server has takes its place: ATTACH sets what it asks for, and its name, its metadata's
name and its data's path are read as those of the server's lake.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path

LAKE = "lake"
METADATA = "__ducklake_metadata_lake"

_ATTACH = re.compile(
    r"\s*ATTACH\s+(?:DATABASE\s+)?(?P<replace>OR\s+REPLACE\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"
    r"'ducklake:(?P<path>[^']*)'\s*(?:AS\s+(?P<name>\w+))?\s*(?:\((?P<options>.*)\))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_DETACH = re.compile(r"\s*DETACH\s+(?:DATABASE\s+)?(?:IF\s+EXISTS\s+)?(\w+)\s*;?\s*", re.IGNORECASE)
#: What changes no result here: the time zone that a server has, and more work for DuckDB.
_SO_ANYWAY = re.compile(
    r"\s*(SET\s+TimeZone\s*=\s*'UTC'|PRAGMA\s+(en|dis)able_verification)\s*;?\s*", re.IGNORECASE
)
_OPTION = re.compile(r"\s*(\w+)\s*(?:=?\s*('(?:[^']|'')*'|[^,\s]+))?\s*(?:,|$)")
#: Options that say what is so for the server's lake anyway.
_HARMLESS = {"OVERRIDE_DATA_PATH", "CREATE_IF_NOT_EXISTS", "READ_WRITE", "METADATA_PATH"}


class NotForServers(Exception):
    """A file, from here on, needs what the clients of a server cannot have."""


class Names:
    """Of one file. `lake` is the directory that the server's lake is in."""

    def __init__(self, file: Path, lake: Path, data: Path | None) -> None:
        scratch = lake / "data" / "exports" / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        self._lake_data = f"{lake}/data"
        self._offered = f"{lake}/data/exports/offered"
        self._has_data = data is not None
        self._source = ""
        self._renames: list[tuple[re.Pattern[str], str]] = []
        self.variables = {
            "TEST_NAME": file.stem,
            "BASE_TEST_NAME": file.stem,
            "TEST_NAME_NO_SLASH": file.stem,
            "TEST_DIR": str(scratch),
            "TEMP_DIR": str(scratch),
            "TEMP_BASE": str(scratch),
            "DATA_DIR": self._offered,
            "WORKING_DIR": str(scratch),
            "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, file.name)),
            "TEST_UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, file.name)),
        }

    def expand(self, text: str) -> str:
        """Variables, and the names of the file's lake."""
        for name, value in reversed(self.variables.items()):
            text = text.replace("${" + name + "}", value).replace("{" + name + "}", value)
        for name, variable in (
            ("__TEST_DIR__", "TEST_DIR"),
            ("__WORKING_DIRECTORY__", "WORKING_DIR"),
        ):
            text = text.replace(name, self.variables[variable])
        if self._has_data:
            text = re.sub(r"(?<=['\"])(?:\./)?data/", self._offered + "/", text)
        for pattern, replacement in self._renames:
            text = pattern.sub(replacement, text)
        return text

    @staticmethod
    def attaches(sql: str) -> bool:
        return _ATTACH.fullmatch(sql) is not None

    def translate(self, sql: str) -> str:
        """The statement to send for one of the file, which is expanded already."""
        if _SO_ANYWAY.fullmatch(sql):
            return "SELECT 'as it is'"
        if found := _ATTACH.fullmatch(sql):
            return self._attach(found)
        found = _DETACH.fullmatch(sql)
        if found and self._source and found[1] == LAKE:
            return "SELECT 'detached'"
        return sql

    def _attach(self, found: re.Match[str]) -> str:
        source = found["path"]
        if self._source and source != self._source:
            raise NotForServers("a second lake")
        if found["replace"] or not source or ":" in source:
            raise NotForServers("ATTACH of another kind of catalog")
        name = found["name"] or Path(source).stem
        metadata = f"__ducklake_metadata_{name}"
        data_path = f"{source}.files"
        limit = ""
        for option, value in _OPTION.findall(found["options"] or ""):
            match option.upper():
                case "METADATA_CATALOG":
                    metadata = value.strip("'")
                case "DATA_PATH":
                    data_path = value.strip("'").rstrip("/")
                case "DATA_INLINING_ROW_LIMIT":
                    limit = value
                case known if known in _HARMLESS:
                    pass
                case other:
                    raise NotForServers(f"ATTACH with {other}")
        self._source = source
        self._renames = [
            (re.compile(re.escape(data_path) + r"(?=[/'\"*\s]|$)"), self._lake_data),
            (_name(metadata), METADATA),
            (_name(f"__ducklake_metadata_{name}"), METADATA),
            (_name(name), LAKE),
        ]
        if limit:
            return f"CALL {LAKE}.set_option('data_inlining_row_limit', {limit})"
        return "SELECT 'attached'"


def _name(name: str) -> re.Pattern[str]:
    """Where it is a catalog's name: before a dot, alone in quotes, or after these words."""
    plain = re.escape(name)
    return re.compile(
        rf"(?<![\w/.'\"]){plain}(?=\.[\w\"])|(?<=['\"]){plain}(?=['\"])"
        rf"|(?<=\bUSE ){plain}\b|(?<=\bDETACH ){plain}\b|(?<=\bCHECKPOINT ){plain}\b"
        rf"|(?<=\bDATABASE ){plain}\b|(?<=\bFROM ){plain}(?=\.)",
        re.IGNORECASE,
    )
