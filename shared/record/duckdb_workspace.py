"""A DuckDB database in memory with a folder beside it, for the time of one step."""

import errno
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import ExportError
from shared.record.own_folder import own_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The instance has 2 GB for the host, Python and this; what does not fit goes to the temporary folder (0.8 GB there).
MEMORY = "700MB"
TEMPORARY = "400MB"


@dataclass(frozen=True)
class Workspace:
    """``folder`` and all in it is gone when the step ends."""

    connection: "DuckDBPyConnection"
    folder: Path

    def count(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """What a query gives as its only number, or how many rows a change was of."""
        ((count,),) = self.connection.execute(statement, list(parameters)).fetchall()
        return int(count)

    def write_parquet(self, query: str, file: Path) -> None:
        # The lightest compression takes a third less time than the usual one, and comes out no larger.
        form = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
        self.connection.execute(f"COPY ({query}) TO {quoted(str(file))} ({form})")


Workspaces = Callable[[], AbstractContextManager[Workspace]]


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Raises ExportError for what DuckDB raises: its own texts can quote the rows that it was at."""
    import duckdb  # noqa: PLC0415 - only steps need it; the HTTP door starts faster without

    with _full_disk_told(), own_folder() as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "max_temp_directory_size": TEMPORARY,
            "temp_directory": str(folder),
            # The same name holds another block each time.
            "enable_external_file_cache": False,
            # Everything needed is built in; nothing is ever fetched.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(config=settings) as connection:
            try:
                yield Workspace(connection, folder)
            except duckdb.OutOfMemoryException:
                raise _too_large() from None
            except duckdb.Error as error:
                where = "".join(traceback.format_tb(error.__traceback__))
                raise RuntimeError(f"DuckDB: {type(error).__name__}, at\n{where}") from None


@contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _too_large() from None
        raise


def _too_large() -> ExportError:
    return ExportError(
        "out_of_memory",
        f"The step needs more than {MEMORY} of memory and {TEMPORARY} of temporary files.",
        "Nothing is lost. Split the export: fewer or smaller segments in each.",
    )


def quoted(text: str) -> str:
    """As a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
