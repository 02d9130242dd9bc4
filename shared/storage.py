"""Azure Storage: blobs with their ETags, locks, and the queue."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobLeaseClient, BlobPrefix, ContainerClient
from azure.storage.queue import QueueClient

from shared.errors import Changed, ExportError, Held
from shared.settings import StorageAccount
from shared.storage_service import container_client, is_container_missing, queue_client, translated

LOCK_SECONDS = 30  # a lease takes 15 to 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Blob:
    data: bytes
    etag: str


@dataclass(frozen=True)
class BlobInfo:
    """``size`` in bytes; ``modified`` with its zone; ``metadata`` only where it was asked for."""

    name: str
    etag: str
    size: int
    modified: datetime
    metadata: dict[str, str]


class Container:
    """One container. Every write that replaces a blob can carry the ETag that it replaces."""

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self.name = name

    @cached_property
    def _client(self) -> ContainerClient:
        # An SDK client opens nothing before its first call, but making it takes time: not on import.
        return container_client(self._account, self.name)

    def _translated(self, name: str | None = None) -> AbstractContextManager[None]:
        return translated(self._account, f"container {self.name}", name or self.name)

    def create(self) -> None:
        """Makes the container where it is not there yet."""
        with self._translated(), suppress(ResourceExistsError):
            self._client.create_container()

    def probe(self) -> None:
        """Asks once whether the container is there and answers. Raises what a read would."""
        with self._translated():
            self._client.get_container_properties(retry_total=0)

    def read(self, name: str) -> Blob | None:
        """None where there is no such blob."""
        with self._translated(name):
            try:
                download = self._client.download_blob(name)
                return Blob(download.readall(), download.properties.etag)
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                return None

    def download(self, name: str, file: Path) -> str | None:
        """Writes the blob to ``file``, without holding it, and returns its ETag; None where there is no such blob."""
        with self._translated(name):
            try:
                download = self._client.download_blob(name)
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                return None
            with file.open("wb") as target:
                download.readinto(target)
            return str(download.properties.etag)

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        """The blob in pieces of 4 MiB at most. Raises Changed when it is no longer the one with ``etag``; without
        one, a blob that is not there is empty."""
        conditions: dict[str, Any] = {}
        if etag is not None:
            conditions = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        with self._translated(name):
            try:
                yield from self._client.download_blob(name, **conditions).chunks()
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                if etag is not None:
                    raise Changed(name) from error

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
        ``replaces``, or where it exists although it should be ``new``."""
        conditions: dict[str, Any] = {"overwrite": not new}
        if replaces is not None:
            conditions |= {"etag": replaces, "match_condition": MatchConditions.IfNotModified}
        with self._translated(name):
            try:
                written = self._client.get_blob_client(name).upload_blob(data, metadata=metadata, **conditions)
            except (ResourceExistsError, ResourceModifiedError) as error:
                raise Changed(name) from error
            return str(written["etag"])

    def stage(self, name: str, block: str, data: bytes) -> None:
        """Puts one block of a blob beside it; nothing is seen of it before ``commit``. Ids have one length."""
        with self._translated(name):
            self._client.get_blob_client(name).stage_block(block, data)

    def commit(self, name: str, blocks: list[str]) -> None:
        """Makes the blob out of blocks staged or committed before, in this order."""
        with self._translated(name):
            client = self._client.get_blob_client(name)
            client.commit_block_list([BlobBlock(block_id=block) for block in blocks])

    def blocks(self, name: str) -> list[str]:
        """The ids of the committed blocks, in order; none where there is no such blob."""
        with self._translated(name):
            try:
                committed, _ = self._client.get_blob_client(name).get_block_list("committed")
            except ResourceNotFoundError:
                return []
            return [str(block.id) for block in committed]

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Silent where there is no such blob; raises Changed where it is no longer the one with ``etag``."""
        conditions: dict[str, Any] = {}
        if etag is not None:
            conditions = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        with self._translated(name), suppress(ResourceNotFoundError):
            self._client.delete_blob(name, **conditions)

    @contextmanager
    def locked(self, name: str, beat: Callable[[], None]) -> Iterator["Lock"]:
        """Holds the lock ``name``, a blob of its own, and calls ``beat`` now and every few seconds meanwhile. When the
        process dies, the lock is free LOCK_SECONDS later. Raises Held where somebody else has it."""
        blob = self._client.get_blob_client(name)
        with self._translated(name):
            try:
                with suppress(ResourceExistsError):
                    blob.upload_blob(b"", overwrite=False)
                lease = blob.acquire_lease(LOCK_SECONDS)
            except HttpResponseError as error:
                if error.status_code in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
                    raise Held(name) from error
                raise
        beat()
        lock = Lock(name, lease, beat)
        try:
            yield lock
        finally:
            lock.release()

    def is_locked(self, name: str) -> bool:
        with self._translated(name):
            try:
                return bool(self._client.get_blob_client(name).get_blob_properties().lease.state == "leased")
            except ResourceNotFoundError:
                return False

    def list(self, prefix: str, *, metadata: bool = False) -> Iterator[BlobInfo]:
        """Every blob whose name begins with ``prefix``, in the order of their names."""
        with self._translated():
            for item in self._client.list_blobs(name_starts_with=prefix, include=["metadata"] if metadata else None):
                yield BlobInfo(item.name, item.etag, item.size, item.last_modified, item.metadata or {})

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders right below ``prefix``, in order: a listing of one level, not of the tree."""
        with self._translated():
            for item in self._client.walk_blobs(name_starts_with=prefix, delimiter="/"):
                if isinstance(item, BlobPrefix):
                    yield item.name.removeprefix(prefix).rstrip("/")


class Lock:
    """A lease on a blob, renewed by a thread that ends with it."""

    def __init__(self, name: str, lease: BlobLeaseClient, beat: Callable[[], None]) -> None:
        self._name = name
        self._lease = lease
        self._beat = beat
        self._released = threading.Event()
        self._valid_until = time.monotonic() + LOCK_SECONDS
        self._thread = threading.Thread(target=self._renew, name="lock", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises Changed where the lock is no longer ours: this process slept too long, or the storage was away."""
        if time.monotonic() > self._valid_until:
            raise Changed(self._name)

    def release(self) -> None:
        self._released.set()
        self._thread.join()
        with suppress(AzureError):
            self._lease.release()

    def _renew(self) -> None:
        while not self._released.wait(LOCK_SECONDS / 4):
            asked = time.monotonic()
            try:
                self._lease.renew()
                self._valid_until = asked + LOCK_SECONDS
                self._beat()
            except (ResourceNotFoundError, ResourceExistsError, ResourceModifiedError):
                self._valid_until = asked
                return
            except (AzureError, ExportError) as error:
                _log.warning("lock %s: not renewed: %s", self._name, type(error).__name__)


class WorkQueue:
    """The queue of work, in the encoding that the queue trigger reads (base64, ``host.json``)."""

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self.name = name

    @cached_property
    def _client(self) -> QueueClient:
        return queue_client(self._account, self.name)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self._account, f"queue {self.name}", self.name)

    def create(self) -> None:
        """Makes the queue where it is not there yet."""
        with self._translated(), suppress(ResourceExistsError):
            self._client.create_queue()

    def probe(self) -> None:
        """Asks once whether the queue is there and answers. Raises what ``put`` would."""
        with self._translated():
            self._client.get_queue_properties(retry_total=0)

    def poison_length(self) -> int:
        """About how many messages were given up after several deliveries; the trigger moves them to a queue beside."""
        with self._translated():
            try:
                properties = queue_client(self._account, f"{self.name}-poison").get_queue_properties()
            except ResourceNotFoundError:
                return 0
            return int(properties.approximate_message_count or 0)

    def put(self, message: str, *, delay: int = 0) -> None:
        """``delay`` in seconds: how long the message stays unseen. Messages never expire."""
        with self._translated():
            self._client.send_message(message, visibility_timeout=delay, time_to_live=-1)
