"""A file of addresses for whoever may see them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from tempfile import SpooledTemporaryFile

from fastapi.responses import StreamingResponse

from shared.errors import Changed

_IN_MEMORY = 8 * 1024 * 1024  # bytes; more lies in a temporary file
_PIECE = 1024 * 1024  # bytes
_READINGS = 3


def unchanged_midway[T](read: Callable[[], T]) -> T:
    """What ``read`` gives; it is called again where the file changed under it, for the end of a run adds to it once."""
    for _ in range(_READINGS - 1):
        with suppress(Changed):
            return read()
    return read()


def csv_file(chunks: Callable[[], Iterable[bytes]], name: str) -> StreamingResponse:
    """All of it has been read before the answer begins, so that what fails in the middle has an answer of its own."""
    file = unchanged_midway(lambda: _kept(chunks()))
    return StreamingResponse(
        iter(lambda: file.read(_PIECE), b""),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _kept(chunks: Iterable[bytes]) -> SpooledTemporaryFile[bytes]:
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it is gone with the response
    file.writelines(chunks)
    file.seek(0)
    return file
