"""A temporary folder for the time of one step, also where its process dies."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "export-"
_HELD = "held"


@contextmanager
def own_folder() -> Iterator[Path]:
    """It is gone when the block ends. What a process has left that died in its block is taken away first: a worker
    process may die alone, and its instance would keep the rows in it, and run out of disk."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _is_left(folder / _HELD):
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        with (folder / "new").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / "new").rename(folder / _HELD)  # nobody sees it before it is locked
            yield folder


def _is_left(held: Path) -> bool:
    """Whether whoever made it has died: the lock ends with the process."""
    try:
        with held.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody holds it, or it is gone
        return False
    return True
