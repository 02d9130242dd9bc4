"""The storage services, reached as the host reaches them: with a connection string, or by identity."""

from os import environ
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.blob import LinearRetry as BlobRetry
from azure.storage.queue import LinearRetry, QueueClient

from local.host.errors import CannotStartError

_RETRIES = 5


def queue_client(connection: str, queue_name: str, *, patience: float) -> QueueClient:
    """``connection`` names a setting with a connection string, or is the prefix of ``__queueServiceUri`` (and
    ``__clientId``), which is reached by identity. What fails for a while (5xx, no connection) is tried again for
    ``patience`` seconds. Raises CannotStartError where neither is set, ValueError where it is no connection string."""
    retries = LinearRetry(**_for(patience))
    if environ.get(connection):
        return QueueClient.from_connection_string(environ[connection], queue_name, retry_policy=retries)
    url, credential = _by_identity(connection, "queue")
    return QueueClient(url, queue_name, credential=credential, retry_policy=retries)


def blob_service(connection: str, *, patience: float) -> BlobServiceClient:
    """The same for blobs, with ``__blobServiceUri``."""
    retries = BlobRetry(**_for(patience))
    if environ.get(connection):
        return BlobServiceClient.from_connection_string(environ[connection], retry_policy=retries)
    url, credential = _by_identity(connection, "blob")
    return BlobServiceClient(url, credential=credential, retry_policy=retries)


def _for(patience: float) -> dict[str, Any]:
    """Of what kind the failure is does not matter: each has a limit of its own, 3 by default."""
    limits = ("retry_total", "retry_connect", "retry_read", "retry_status")
    return {"backoff": patience / _RETRIES, "random_jitter_range": 0} | dict.fromkeys(limits, _RETRIES)


def is_taken(error: AzureError) -> bool:
    """Whether this delivery of a message is over: deleted, or delivered to someone else since."""
    return getattr(error, "error_code", None) in ("MessageNotFound", "PopReceiptMismatch")


def is_absent(error: AzureError) -> bool:
    """Whether the queue is not there, or not for now."""
    return getattr(error, "error_code", None) in ("QueueNotFound", "QueueBeingDeleted", "QueueDisabled")


def is_of_the_server(error: AzureError) -> bool:
    status = getattr(error, "status_code", None) or 0
    return 500 <= status < 600


def short(error: AzureError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _by_identity(connection: str, service: str) -> tuple[str, TokenCredential]:
    url = environ.get(f"{connection}__{service}ServiceUri")
    if not url:
        raise CannotStartError(
            f"The application setting {connection} (or {connection}__{service}ServiceUri) is needed and not set."
        )
    return url, DefaultAzureCredential(managed_identity_client_id=environ.get(f"{connection}__clientId"))
