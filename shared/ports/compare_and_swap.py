"""Read, decide, write: the one place that asks again after somebody else wrote first."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import Changed
from shared.ports.blobs import Blob, Blobs

# Everybody who loses lets another one win; so many in a row are no coincidence any more.
MOST_ATTEMPTS = 20


@dataclass(frozen=True)
class Swapped:
    """``data`` is what the blob holds now, None where there is none; ``etag`` its ETag, empty where there is none.
    ``wrote`` is whether this call made it so."""

    data: bytes | None
    etag: str
    wrote: bool


def compare_and_swap(
    blobs: Blobs,
    name: str,
    decide: Callable[[Blob | None], bytes | None],
    *,
    metadata: Callable[[bytes], dict[str, str]] | None = None,
) -> Swapped:
    """Writes what ``decide`` makes of the blob: None, given or returned, is one that is not there; the very data that
    it was given leave it as it is. ``decide`` is called again when somebody else wrote first, and may raise.
    ``metadata`` is made of what is written.

    A write that is asked for again because its answer was lost meets itself, and the storage calls that a conflict. So
    after a conflict the blob is read: where it holds what was to be written, it was this call, or one that wanted the
    same: so what is written names its writer wherever ``wrote`` decides something. ``decide`` may see its own write,
    overwritten by others since. Raises Changed after MOST_ATTEMPTS.
    """
    for _ in range(MOST_ATTEMPTS):
        blob = blobs.read(name)
        before, etag = (blob.data, blob.etag) if blob else (None, "")
        after = decide(blob)
        if after is before:
            return Swapped(before, etag, wrote=False)
        try:
            if after is None:
                blobs.delete(name, etag=etag)
                return Swapped(None, "", wrote=True)
            marks = metadata(after) if metadata else None
            written = blobs.write(name, after, replaces=etag or None, new=blob is None, metadata=marks)
            return Swapped(after, written, wrote=True)
        except Changed:
            now = blobs.read(name)
            if (now.data if now else None) == after:
                return Swapped(after, now.etag if now else "", wrote=True)
    raise Changed(name)
