"""Replays DuckDB's and DuckLake's logic tests through a server, and beside it in process."""
