"""How an account of Azure Storage is reached, and what its errors mean for those who run the product."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient, StorageErrorCode
from azure.storage.blob import LinearRetry as BlobRetry
from azure.storage.queue import LinearRetry as QueueRetry
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.azure.identity import credential, got_no_token, without_token
from shared.errors import Changed, DeploymentError, ExportError, TemporaryError
from shared.ports.blobs import CHUNK_BYTES
from shared.settings import StorageAccount

# What fails for a moment (503 ServerBusy, a connection that breaks) is asked for again three times within some ten
# seconds, which a person at the other end still waits. The SDK's own policy would take minutes; the patience of minutes
# is the queue's, which delivers a step again. A connection inside Azure takes milliseconds; 60 s are for reading one
# piece of CHUNK_BYTES.
_RETRIES: dict[str, Any] = {"backoff": 2, "random_jitter_range": 1, "retry_total": 3}
_TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 60}


def container_client(account: StorageAccount, name: str) -> ContainerClient:
    options: dict[str, Any] = {"max_single_get_size": CHUNK_BYTES, "max_chunk_get_size": CHUNK_BYTES, **_TIMEOUTS}
    options["retry_policy"] = BlobRetry(**_RETRIES)
    if account.connection_string:
        service = BlobServiceClient.from_connection_string(account.connection_string, **options)
    else:
        service = BlobServiceClient(account.blob_uri or "", credential=credential(account), **options)
    return service.get_container_client(name)


def queue_client(account: StorageAccount, name: str) -> QueueClient:
    """In the encoding that the queue trigger reads (base64, ``host.json``)."""
    options: dict[str, Any] = {"message_encode_policy": TextBase64EncodePolicy(), **_TIMEOUTS}
    options["retry_policy"] = QueueRetry(**_RETRIES)
    if account.connection_string:
        return QueueClient.from_connection_string(account.connection_string, name, **options)
    return QueueClient(account.queue_uri or "", name, credential=credential(account), **options)


def is_container_missing(error: ResourceNotFoundError) -> bool:
    return _code(error) == StorageErrorCode.CONTAINER_NOT_FOUND


@contextmanager
def translated(account: StorageAccount, place: str, name: str) -> Iterator[None]:
    """The SDK's errors as the errors of this product. ``place`` is the container or the queue, in words, and ``name``
    what is asked of it. The SDK's own texts stay in the log: they hold the account's address."""
    try:
        yield
    except ExportError:
        raise
    except ResourceNotFoundError as error:
        if _code(error) == StorageErrorCode.BLOB_NOT_FOUND:
            raise Changed(name) from error
        raise DeploymentError(
            "container_missing",
            f"The storage account of {account.setting} has no {place}.",
            "Deploy the templates again: they make what is missing. If it is what Customer Insights writes to, check "
            "SEGMENT_CONTAINER.",
        ) from error
    except AzureError as error:
        # A block that was staged is dropped when somebody else makes a blob out of others.
        if _status(error) == HTTPStatus.PRECONDITION_FAILED or _code(error) == StorageErrorCode.INVALID_BLOCK_LIST:
            raise Changed(name) from error
        if got_no_token(error):
            raise without_token(account) from error
        if isinstance(error, ClientAuthenticationError) or _status(error) == HTTPStatus.FORBIDDEN:
            raise _forbidden(account, place, error) from error
        raise TemporaryError(
            "storage_unavailable",
            f"The storage account of {account.setting} does not answer for {name}.",
            f"Nothing is lost: try again later. If it stays so, check the address in {account.setting} and the "
            "account's firewall.",
        ) from error


def _forbidden(account: StorageAccount, place: str, error: AzureError) -> DeploymentError:
    """The service's error code says what exactly is missing."""
    code = _code(error)
    said = f"HTTP {_status(error)}" + (f", {getattr(code, 'value', code)}" if code else "")
    return DeploymentError(
        "storage_forbidden",
        f"The storage account of {account.setting} does not let this app use the {place} ({said}).",
        f"Check the account's key in {account.setting}."
        if account.connection_string
        else "Give the app's identity the roles Storage Blob Data Contributor and Storage Queue Data Contributor there "
        "(a new assignment takes up to ten minutes to work), and check the account's firewall.",
        field=account.setting,
    )


def _status(error: AzureError) -> int | None:
    return error.status_code if isinstance(error, HttpResponseError) else None


def _code(error: AzureError) -> str | None:
    """That of the service: a text, or a StorageErrorCode, which equals it."""
    return getattr(error, "error_code", None)
