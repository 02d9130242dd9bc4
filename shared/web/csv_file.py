"""A file of addresses for whoever may see them."""

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from fastapi.responses import StreamingResponse

_IN_MEMORY = 8 * 1024 * 1024  # bytes; more lies in a temporary file
_PIECE = 1024 * 1024  # bytes


def csv_file(chunks: Iterable[bytes], name: str) -> StreamingResponse:
    """All of it has been read before the answer begins, so that what fails in the middle has an answer of its own."""
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it is gone with the response
    file.writelines(chunks)
    file.seek(0)
    return StreamingResponse(
        iter(lambda: file.read(_PIECE), b""),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
