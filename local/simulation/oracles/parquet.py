"""Parquet files of the product, read without it."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HELD = (0, 1001)  # docs/changes.md: confirmed, added
ADDED = 1001


@lru_cache(maxsize=1)
def _connection() -> "DuckDBPyConnection":
    import duckdb  # noqa: PLC0415

    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


@lru_cache(maxsize=512)
def acknowledged(data: bytes) -> dict[str, int]:
    """The state of each address, in lower case."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        Path(file.name).write_bytes(data)
        rows = _connection().execute("SELECT lower(email), state FROM read_parquet(?)", [file.name]).fetchall()
    return {str(email): int(state) for email, state in rows}
