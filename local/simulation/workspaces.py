"""Databases for the steps, opened in a twentieth of the time: attached to one DuckDB that all worlds share."""

import itertools
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.record.workspace import Workspace

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_numbers = itertools.count()
_FASTEST = Path("/dev/shm")  # where there is one


@lru_cache(maxsize=1)
def _base() -> "DuckDBPyConnection":
    import duckdb  # noqa: PLC0415

    # One thread: the rows of a query come in the same order each time.
    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Keeps the contract of ``shared.record.workspace.workspace``; there is no limit of memory."""
    import duckdb  # noqa: PLC0415

    name = f"w{next(_numbers)}"
    folder = Path(tempfile.mkdtemp(prefix="simulated-", dir=_FASTEST if _FASTEST.is_dir() else None))
    cursor = _base().cursor()
    try:
        cursor.execute(f"ATTACH ':memory:' AS {name}; USE {name}")
        yield Workspace(cursor, folder)
    except duckdb.Error as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        raise RuntimeError(f"DuckDB: {type(error).__name__}, at\n{where}") from None
    finally:
        cursor.execute(f"USE memory; DETACH {name}")
        cursor.close()
        shutil.rmtree(folder, ignore_errors=True)
