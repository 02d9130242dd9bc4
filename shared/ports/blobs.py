"""Blobs: a container of named bytes, with ETags, leases and blocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK_BYTES = 4 * 1024 * 1024  # the longest piece that ``chunks`` gives


@dataclass(frozen=True)
class Blob:
    data: bytes
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BlobInfo:
    """``size`` in bytes; ``modified`` with its zone; ``metadata`` only where it was asked for. A listing may give the
    ETag without the quotes that ``Blob`` has it with: ``same_etag`` compares them. It may say ``leased`` of a lease
    that has run out: ``is_leased`` knows."""

    name: str
    etag: str
    size: int
    modified: datetime
    metadata: dict[str, str]
    leased: bool


class Lease(Protocol):
    """The right to be the only one, for so many seconds at a time. Whoever sleeps longer has lost it."""

    def renew(self) -> None:
        """Begins its seconds anew, also where they are over and nobody else has taken it. Raises Changed where it is
        somebody else's, or the blob is gone."""

    def release(self) -> None:
        """Silent where it is lost, or where the storage does not answer: it runs out by itself."""


class Blobs(Protocol):
    """One container. Any call raises TemporaryError where the storage does not answer, after some attempts of its own;
    then a write may have been stored all the same. It raises DeploymentError where the container is not there or may
    not be used."""

    @property
    def name(self) -> str: ...

    def probe(self) -> None:
        """Asks once whether the container is there and answers."""

    def read(self, name: str) -> Blob | None:
        """None where there is no such blob."""

    def download(self, name: str, file: Path) -> str | None:
        """Writes the blob to ``file``, without holding it, and returns its ETag; None where there is no such blob.
        Raises Changed where a blob of more than CHUNK_BYTES changes midway; so does ``read``."""

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        """The blob in pieces of CHUNK_BYTES at most. Raises Changed when it is no longer the one with ``etag``, also
        in the middle; without one, a blob that is not there is empty."""

    def write(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        replaces: str | None = None,
        new: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """Returns the new ETag. Raises Changed where the blob is not (or no longer) the one with the ETag
        ``replaces``, or where it exists although it should be ``new``. It may be the writer's own earlier attempt that
        changed it: ``compare_and_swap`` tells."""

    def stage(self, name: str, block: str, data: bytes) -> None:
        """Puts one block of a blob beside it; nothing is seen of it before ``commit``. ``block`` is base64, and all ids
        of a blob have one length."""

    def commit(self, name: str, blocks: list[str], *, replaces: str | None = None) -> None:
        """Makes the blob out of blocks staged or committed before, in this order; staged ones that are not named are
        gone. Twice with the same blocks gives the same blob. Raises Changed where a block is not there, or the blob is
        no longer the one with the ETag ``replaces``."""

    def blocks(self, name: str) -> list[str]:
        """The ids of the committed blocks, in order; none where there is no such blob."""

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Silent where there is no such blob; raises Changed where it is no longer the one with ``etag``."""

    def list(self, prefix: str, *, metadata: bool = False) -> Iterator[BlobInfo]:
        """Every blob whose name begins with ``prefix``, in the order of their names."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders right below ``prefix``, in order: a listing of one level, not of the tree."""

    def lease(self, name: str, seconds: int) -> Lease:
        """On the blob ``name``, which is made, empty, where it is not there; ``seconds`` from 15 to 60. Raises Held
        where somebody has one. A leased blob can be read, but not be written or deleted, by nobody: Changed. Once its
        seconds are over, a write ends the lease for good."""

    def is_leased(self, name: str) -> bool: ...


def same_etag(one: str, other: str) -> bool:
    """A listing gives it without the quotes of the header."""
    return one.strip('"') == other.strip('"')
