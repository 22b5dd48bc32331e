"""Measures ducklake-flight against DuckDB in process, in one run on one machine."""


class WrongResult(Exception):
    """The server answered, but not with what in-process DuckDB answers."""


class BenchFailure(Exception):
    """Something that the benchmark needs did not work."""
