"""Read, decide, write: the one place that asks again after somebody else wrote first."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from shared.errors import Changed
from shared.ports.blobs import Blob, Blobs

# Everybody who loses lets another one win; so many in a row are no coincidence any more.
MOST_ATTEMPTS = 20
_WRITER = "writer"  # in the metadata


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
    each write is signed, and after a conflict the signature is read. What was written and has been overwritten since is
    not known again: ``decide`` then sees what the others made of it. Nor is a deletion known from somebody else's.
    Raises Changed after MOST_ATTEMPTS.
    """
    signature = {_WRITER: secrets.token_hex(8)}
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
            marks = (metadata(after) if metadata else {}) | signature
            written = blobs.write(name, after, replaces=etag or None, new=blob is None, metadata=marks)
            return Swapped(after, written, wrote=True)
        except Changed:
            now = blobs.read(name)
            if now is None and after is None:
                return Swapped(None, "", wrote=True)
            if now and after is not None and now.metadata.get(_WRITER) == signature[_WRITER] and now.data == after:
                return Swapped(after, now.etag, wrote=True)
    raise Changed(name)


def replace(blobs: Blobs, name: str, data: BinaryIO, etag: str | None) -> None:
    """Writes a blob that was made of the one with ``etag``, or where there was none. Raises Changed where somebody else
    was faster: what ``data`` was made of is no longer true."""
    signature = {_WRITER: secrets.token_hex(8)}
    try:
        blobs.write(name, data, replaces=etag, new=etag is None, metadata=signature)
    except Changed:
        now = next((info for info in blobs.list(name, metadata=True) if info.name == name), None)
        if now is None or now.metadata.get(_WRITER) != signature[_WRITER]:
            raise
