"""A lease on a blob in Azure Storage: keeps ``shared.ports.blobs.Lease``."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from http import HTTPStatus

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.errors import Changed, Held


class BlobLease:
    """``translated`` makes the errors of a block those of this product."""

    def __init__(self, blob: BlobClient, name: str, translated: Callable[[], AbstractContextManager[None]]) -> None:
        self._blob = blob
        self._name = name
        self._translated = translated
        # Proposed, not given by the service: where the answer is lost, the SDK asks again for the same lease, which is
        # granted, where another one would be refused for as long as the first lasts.
        self._id = str(uuid.uuid4())

    @property
    def _client(self) -> BlobLeaseClient:
        # Made anew for each call: released, one forgets its id.
        return BlobLeaseClient(self._blob, self._id)

    def acquire(self, seconds: int) -> None:
        """Once, before the others. Makes the blob where it is not there. Raises Held."""
        with self._translated():
            try:
                with suppress(ResourceExistsError):
                    self._blob.upload_blob(b"", overwrite=False)
                self._client.acquire(seconds)
            except HttpResponseError as error:
                if error.status_code in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
                    raise Held(self._name) from error
                raise

    def renew(self) -> None:
        with self._translated():
            try:
                self._client.renew()
            except HttpResponseError as error:
                if error.status_code == HTTPStatus.CONFLICT:
                    raise Changed(self._name) from error
                raise

    def release(self) -> None:
        with suppress(AzureError):
            self._client.release()
