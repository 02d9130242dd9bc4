"""Blobs in Azure Storage: keeps ``shared.ports.blobs.Blobs``."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobPrefix, ContainerClient

from shared.azure.blob_lease import BlobLease
from shared.azure.storage_accounts import container_client, is_container_missing, translated
from shared.errors import Changed
from shared.ports.blobs import Blob, BlobInfo, Lease
from shared.settings import StorageAccount


class BlobStorage:
    """One container of an account."""

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self.name = name

    @cached_property
    def _client(self) -> ContainerClient:
        # An SDK client opens nothing before its first call, but making it takes time: not on import.
        return container_client(self._account, self.name)

    def _translated(self, name: str | None = None) -> AbstractContextManager[None]:
        return translated(self._account, f"container {self.name}", name or self.name)

    def probe(self) -> None:
        with self._translated():
            self._client.get_container_properties(retry_total=0)

    def read(self, name: str) -> Blob | None:
        with self._translated(name), _if_it_is_there():
            download = self._client.download_blob(name)
            data, properties = download.readall(), download.properties
            return Blob(data, properties.etag, properties.metadata or {})
        return None

    def download(self, name: str, file: Path) -> str | None:
        with self._translated(name), _if_it_is_there():
            download = self._client.download_blob(name)
            with file.open("wb") as target:
                download.readinto(target)
            return str(download.properties.etag)
        return None

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        begun = False
        with self._translated(name):
            try:
                # The SDK asks for each further piece of the blob with the ETag of the first.
                for chunk in self._client.download_blob(name, decompress=False, **_if_it_is(etag)).chunks():
                    begun = True
                    yield chunk
            except ResourceNotFoundError as error:
                if is_container_missing(error):
                    raise
                if etag is not None or begun:
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
        with self._translated(name):
            try:
                written = self._client.get_blob_client(name).upload_blob(
                    data, metadata=metadata, overwrite=not new, **_if_it_is(replaces)
                )
            except ResourceExistsError as error:
                raise Changed(name) from error
            return str(written["etag"])

    def stage(self, name: str, block: str, data: bytes) -> None:
        with self._translated(name):
            self._client.get_blob_client(name).stage_block(block, data)

    def commit(self, name: str, blocks: list[str], *, replaces: str | None = None) -> None:
        with self._translated(name):
            client = self._client.get_blob_client(name)
            client.commit_block_list([BlobBlock(block_id=block) for block in blocks], **_if_it_is(replaces))

    def blocks(self, name: str) -> list[str]:
        with self._translated(name), _if_it_is_there():
            committed, _ = self._client.get_blob_client(name).get_block_list("committed")
            return [str(block.id) for block in committed]
        return []

    def delete(self, name: str, *, etag: str | None = None) -> None:
        client = self._client.get_blob_client(name)
        with self._translated(name), _if_it_is_there():
            try:
                client.delete_blob(**_if_it_is(etag))
            except ResourceModifiedError:
                # A blob that is not there has not the ETag either, and Azurite says that first.
                if client.exists():
                    raise

    def list(self, prefix: str, *, metadata: bool = False) -> Iterator[BlobInfo]:
        with self._translated():
            for item in self._client.list_blobs(name_starts_with=prefix, include=["metadata"] if metadata else None):
                leased = item.lease.state == "leased"
                yield BlobInfo(item.name, item.etag, item.size, item.last_modified, item.metadata or {}, leased)

    def folders(self, prefix: str) -> Iterator[str]:
        with self._translated():
            for item in self._client.walk_blobs(name_starts_with=prefix, delimiter="/"):
                if isinstance(item, BlobPrefix):
                    yield item.name.removeprefix(prefix).rstrip("/")

    def lease(self, name: str, seconds: int) -> Lease:
        lease = BlobLease(self._client.get_blob_client(name), name, partial(self._translated, name))
        lease.acquire(seconds)
        return lease

    def is_leased(self, name: str) -> bool:
        with self._translated(name), _if_it_is_there():
            properties = self._client.get_blob_client(name).get_blob_properties()
            return bool(properties.lease.state == "leased")
        return False


@contextmanager
def _if_it_is_there() -> Iterator[None]:
    """Ends the block in silence where there is no such blob."""
    try:
        yield
    except ResourceNotFoundError as error:
        if is_container_missing(error):
            raise


def _if_it_is(etag: str | None) -> dict[str, Any]:
    return {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}
