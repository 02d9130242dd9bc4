"""The queue in Azure Storage: keeps ``shared.ports.queue.Queue``."""

from contextlib import AbstractContextManager, suppress
from functools import cached_property

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from shared.azure.storage_accounts import queue_client, translated
from shared.settings import StorageAccount


class QueueStorage:
    """One queue of an account, in the encoding that the queue trigger reads (base64, ``host.json``)."""

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self.name = name

    @cached_property
    def _client(self) -> QueueClient:
        return queue_client(self._account, self.name)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self._account, f"queue {self.name}", self.name)

    def probe(self) -> None:
        with self._translated():
            self._client.get_queue_properties(retry_total=0)

    def put(self, message: str, *, delay: int = 0) -> None:
        with self._translated():
            self._client.send_message(message, visibility_timeout=delay, time_to_live=-1)

    def poison_length(self) -> int:
        # The trigger makes that queue when it first needs it.
        with self._translated(), suppress(ResourceNotFoundError):
            properties = queue_client(self._account, f"{self.name}-poison").get_queue_properties()
            return int(properties.approximate_message_count or 0)
        return 0
