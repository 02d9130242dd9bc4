"""A container in memory: keeps ``shared.ports.blobs.Blobs``, down to what Azure does with leases and blocks."""

import base64
import sys
import threading
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from shared.errors import Changed, Held
from shared.ports.blobs import CHUNK_BYTES, Blob, BlobInfo, Lease, same_etag
from shared.ports.clock import Clock

PAGE = 5000  # as many blobs are listed as they are at one moment
_AFTER_FOLDER = chr(ord("/") + 1)
_LAST = chr(sys.maxunicode)


@dataclass(frozen=True, slots=True)
class Stored:
    """``blocks`` are ids with their data, where it was made of blocks."""

    data: bytes
    etag: str
    modified: datetime
    metadata: dict[str, str]
    blocks: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class _Lent:
    number: int
    seconds: int
    until: datetime = field(init=False)


class MemoryBlobs:
    """``clock`` is that of the storage: it dates the blobs, and leases run out by it."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.RLock()
        self._blobs: dict[str, Stored] = {}
        self._names: list[str] = []  # of ``_blobs``, sorted
        self._staged: dict[str, dict[str, bytes]] = {}
        self._lent: dict[str, _Lent] = {}
        self._writes = 0
        self._leases = 0

    def probe(self) -> None:
        pass

    def read(self, name: str) -> Blob | None:
        stored = self._blobs.get(name)
        return Blob(stored.data, stored.etag, stored.metadata) if stored else None

    def download(self, name: str, file: Path) -> str | None:
        stored = self._blobs.get(name)
        if stored is None:
            return None
        file.write_bytes(stored.data)
        return stored.etag

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        begun = self._blobs.get(name)
        if begun is None and etag is None:
            return
        if begun is None or (etag is not None and not same_etag(begun.etag, etag)):
            raise Changed(name)
        for start in range(0, len(begun.data), CHUNK_BYTES):
            now = self._blobs.get(name)
            if now is None or now.etag != begun.etag:
                raise Changed(name)
            yield begun.data[start : start + CHUNK_BYTES]

    def write(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        replaces: str | None = None,
        new: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> str:
        content = data if isinstance(data, bytes) else data.read()
        with self._lock:
            self._check(name, replaces)
            if new and name in self._blobs:
                raise Changed(name)
            return self._store(name, content, metadata)

    def stage(self, name: str, block: str, data: bytes) -> None:
        base64.b64decode(block, validate=True)
        with self._lock:
            self._check_lease(name)
            staged = self._staged.setdefault(name, {})
            if any(len(other) != len(block) for other in staged):
                raise ValueError(f"The ids of the blocks of {name} differ in length.")
            staged[block] = data

    def commit(self, name: str, blocks: list[str], *, replaces: str | None = None) -> None:
        with self._lock:
            self._check(name, replaces)
            stored = self._blobs.get(name)
            known = dict(stored.blocks if stored else ()) | self._staged.get(name, {})
            if any(block not in known for block in blocks):
                raise Changed(name)
            made = tuple((block, known[block]) for block in blocks)
            self._store(name, b"".join(data for _, data in made), None, made)

    def blocks(self, name: str) -> list[str]:
        stored = self._blobs.get(name)
        return [block for block, _ in stored.blocks] if stored else []

    def delete(self, name: str, *, etag: str | None = None) -> None:
        with self._lock:
            if name in self._blobs:
                self._check(name, etag)
                del self._blobs[name]
                del self._names[bisect_left(self._names, name)]
                self._lent.pop(name, None)

    def list(self, prefix: str, *, metadata: bool = False) -> Iterator[BlobInfo]:
        after = prefix
        while page := self._page(prefix, after):
            for name, stored in page:
                marks, leased = dict(stored.metadata) if metadata else {}, self.is_leased(name)
                yield BlobInfo(name, stored.etag.strip('"'), len(stored.data), stored.modified, marks, leased)
            after = page[-1][0] + "\0"  # the least name behind it

    def folders(self, prefix: str) -> Iterator[str]:
        found = []
        with self._lock:
            at = bisect_left(self._names, prefix)
            while at < len(self._names) and self._names[at].startswith(prefix):
                folder, slash, _ = self._names[at].removeprefix(prefix).partition("/")
                if slash:
                    found.append(folder)
                    at = bisect_left(self._names, prefix + folder + _AFTER_FOLDER, at)
                else:
                    at += 1
        yield from found

    def lease(self, name: str, seconds: int) -> Lease:
        assert 15 <= seconds <= 60, "Azure gives leases of 15 to 60 seconds."
        with self._lock:
            if self.is_leased(name):
                raise Held(name)
            if name not in self._blobs:
                self._store(name, b"", None)
            self._leases += 1
            self._lent[name] = _Lent(self._leases, seconds)
            self.renew(name, self._leases)
            return MemoryLease(self, name, self._leases)

    def is_leased(self, name: str) -> bool:
        with self._lock:
            lent = self._lent.get(name)
            return lent is not None and self._clock.now() < lent.until

    def renew(self, name: str, lease: int) -> None:
        """For a lease, by its number."""
        with self._lock:
            lent = self._lent.get(name)
            if lent is None or lent.number != lease:
                raise Changed(name)
            lent.until = self._clock.now() + timedelta(seconds=lent.seconds)

    def release(self, name: str, lease: int) -> None:
        """For a lease, by its number."""
        with self._lock:
            lent = self._lent.get(name)
            if lent is not None and lent.number == lease:
                del self._lent[name]

    def _page(self, prefix: str, begin: str) -> Sequence[tuple[str, Stored]]:
        with self._lock:
            start = bisect_left(self._names, begin)
            end = bisect_left(self._names, prefix + _LAST, start)
            return [(name, self._blobs[name]) for name in self._names[start : min(end, start + PAGE)]]

    def _check(self, name: str, etag: str | None) -> None:
        self._check_lease(name)
        stored = self._blobs.get(name)
        if etag is not None and (stored is None or not same_etag(stored.etag, etag)):
            raise Changed(name)

    def _check_lease(self, name: str) -> None:
        if self.is_leased(name):
            raise Changed(name)

    def _store(
        self, name: str, data: bytes, metadata: dict[str, str] | None, blocks: tuple[tuple[str, bytes], ...] = ()
    ) -> str:
        """Whatever was staged is gone, and a lease that has run out cannot be renewed any more."""
        marks = dict(metadata or {})
        assert all(mark.isascii() for mark in marks.values()), "Metadata travels in headers."
        if name not in self._blobs:
            insort(self._names, name)
        self._writes += 1
        etag = f'"0x{self._writes:X}"'
        self._blobs[name] = Stored(data, etag, self._clock.now(), marks, blocks)
        self._staged.pop(name, None)
        self._lent.pop(name, None)
        return etag


class MemoryLease:
    def __init__(self, blobs: MemoryBlobs, name: str, number: int) -> None:
        self._blobs = blobs
        self._name = name
        self._number = number

    def renew(self) -> None:
        self._blobs.renew(self._name, self._number)

    def release(self) -> None:
        self._blobs.release(self._name, self._number)
