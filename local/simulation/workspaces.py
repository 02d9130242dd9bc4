"""Databases for the steps, quicker than the real ones: attached to one DuckDB that all worlds share."""

import itertools
import re
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from shared.record.duckdb_workspace import Workspace

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_numbers = itertools.count()
_FASTEST = Path("/dev/shm")  # where there is one

# To compile the engine's pattern of an address, with the letters of all scripts, takes DuckDB half of a world's time.
# The addresses of these worlds have but plain letters, for which this one says the same; and no long labels.
_THE_PATTERN = re.compile(r"regexp_full_match\(email, '(?:[^']|'')*'\)")
_LONG_LABEL = re.compile(r"regexp_matches\(email, '@[^']*\{64\}'\)")
_LOCAL, _LABEL = r'[^\s@"(),:;<>\[\]\\.]+', "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_PLAIN = rf"regexp_full_match(email, '{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]')"


@lru_cache(maxsize=1)
def _base() -> "DuckDBPyConnection":
    import duckdb  # noqa: PLC0415

    # One thread: the rows of a query come in the same order each time.
    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


class _Quick:
    """A connection, with the plain pattern."""

    def __init__(self, cursor: "DuckDBPyConnection") -> None:
        self._cursor = cursor

    def execute(self, query: str, parameters: object = None) -> "DuckDBPyConnection":
        if "regexp_full_match(email" in query:
            query = _LONG_LABEL.sub("false", _THE_PATTERN.sub(lambda _: _PLAIN, query))
        return self._cursor.execute(query, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Keeps the contract of ``shared.record.duckdb_workspace.workspace``; there is no limit of memory."""
    import duckdb  # noqa: PLC0415

    name = f"w{next(_numbers)}"
    folder = Path(tempfile.mkdtemp(prefix="simulated-", dir=_FASTEST if _FASTEST.is_dir() else None))
    cursor = _base().cursor()
    try:
        cursor.execute(f"ATTACH ':memory:' AS {name}; USE {name}")
        yield Workspace(cast("DuckDBPyConnection", _Quick(cursor)), folder)
    except duckdb.Error as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        raise RuntimeError(f"DuckDB: {type(error).__name__}, at\n{where}") from None
    finally:
        cursor.execute(f"USE memory; DETACH {name}")
        cursor.close()
        shutil.rmtree(folder, ignore_errors=True)
