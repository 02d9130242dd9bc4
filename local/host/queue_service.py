"""The queue service, reached as a queue trigger's `connection` says."""

from contextlib import suppress
from os import environ

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.identity import DefaultAzureCredential
from azure.storage.queue import LinearRetry, QueueClient

from local.host.errors import CannotStartError


def open_queue(connection: str, queue_name: str) -> QueueClient:
    """A client of the queue, which is created when it is not there: in Azure that is the deployment's work.

    `connection` names a setting with a connection string, or is the prefix of `__queueServiceUri` (and `__clientId`),
    which is reached by identity. Raises CannotStartError when neither is set, AzureError or ValueError when the service
    cannot be used.
    """
    client = _client(connection, queue_name)
    with suppress(ResourceExistsError):
        client.create_queue()
    return client


def is_taken(error: AzureError) -> bool:
    """Whether this delivery of a message is over: deleted, or delivered to someone else since."""
    return getattr(error, "error_code", None) in ("MessageNotFound", "PopReceiptMismatch")


def _client(connection: str, queue_name: str) -> QueueClient:
    # The SDK's own policy waits 15 s before its first retry: too long for a start without an emulator.
    retries = LinearRetry(backoff=1, retry_total=2)
    if environ.get(connection):
        return QueueClient.from_connection_string(environ[connection], queue_name, retry_policy=retries)
    url = environ.get(f"{connection}__queueServiceUri")
    if not url:
        raise CannotStartError(
            f"The application setting {connection} (or {connection}__queueServiceUri) is needed and not set."
        )
    credential = DefaultAzureCredential(managed_identity_client_id=environ.get(f"{connection}__clientId"))
    return QueueClient(url, queue_name, credential=credential, retry_policy=retries)
