"""The two that keep each port of storage, Azure's (on Azurite) and the one in memory, for the suites that hold both to
its contract."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pytest
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage, TextBase64DecodePolicy, TextBase64EncodePolicy

from local.azurite import Azurite
from local.host.storage_service import is_taken
from local.memory.blobs import MemoryBlobs
from local.memory.clock import ManualClock
from local.memory.queue import MemoryQueue, StaleReceipt, Taken
from local.provision import make_container, make_queue
from shared.azure.blob_storage import BlobStorage
from shared.azure.queue_storage import QueueStorage
from shared.ports.blobs import Blobs
from shared.ports.queue import Queue
from shared.settings import StorageAccount

SIDES = ("azurite", "memory")


class Receiver(Protocol):
    """What the platform does with a queue; the contract stands at MemoryQueue."""

    def take(self, invisible_seconds: int) -> Taken | None: ...
    def renew(self, taken: Taken, seconds: int) -> Taken: ...
    def done(self, taken: Taken) -> None: ...
    def back(self, taken: Taken, seconds: int = 0) -> None: ...
    def to_poison(self, taken: Taken) -> None: ...


@dataclass(frozen=True)
class Side:
    """``pass_by`` lets so many seconds pass for the storage; Azurite's are real ones, and it may be a little late."""

    name: str
    pass_by: Callable[[float], None]
    new_blobs: Callable[[], Blobs]
    new_queue: Callable[[], tuple[Queue, Receiver]]


def side_of(request: pytest.FixtureRequest) -> Side:
    """For a fixture with ``params=SIDES``. Azurite is started only where it is asked for."""
    return memory() if request.param == "memory" else on_azurite(request.getfixturevalue("azurite"))


def memory() -> Side:
    clock = ManualClock()

    def new_queue() -> tuple[Queue, Receiver]:
        queue = MemoryQueue("export-work", clock)
        return queue, queue

    return Side("memory", clock.sleep, lambda: MemoryBlobs("export-state", clock), new_queue)


def on_azurite(azurite: Azurite) -> Side:
    account = StorageAccount("ExportStorage", azurite.connection_string)

    def new_blobs() -> Blobs:
        blobs = BlobStorage(account, f"c-{uuid.uuid4().hex}")
        make_container(azurite.connection_string, blobs.name)
        return blobs

    def new_queue() -> tuple[Queue, Receiver]:
        queue = QueueStorage(account, f"q-{uuid.uuid4().hex}")
        make_queue(azurite.connection_string, queue.name)
        return queue, AzuriteReceiver(azurite.connection_string, queue.name)

    return Side("azurite", lambda seconds: time.sleep(seconds + 0.2), new_blobs, new_queue)


class AzuriteReceiver:
    """As the trigger receives, which is no part of the product."""

    def __init__(self, connection_string: str, name: str) -> None:
        self._connection_string = connection_string
        self._name = name
        self._queue = self._client(name)

    def take(self, invisible_seconds: int) -> Taken | None:
        message = self._queue.receive_message(visibility_timeout=invisible_seconds)
        return _taken(message) if message else None

    def renew(self, taken: Taken, seconds: int) -> Taken:
        with _Stale():
            renewed = self._queue.update_message(taken.id, taken.receipt, visibility_timeout=seconds)
        return Taken(taken.id, renewed.pop_receipt or "", taken.text, taken.count)

    def done(self, taken: Taken) -> None:
        with _Stale():
            self._queue.delete_message(taken.id, taken.receipt)

    def back(self, taken: Taken, seconds: int = 0) -> None:
        self.renew(taken, seconds)

    def to_poison(self, taken: Taken) -> None:
        poison = self._client(f"{self._name}-poison")
        poison.create_queue()
        poison.send_message(taken.text)
        self.done(taken)

    def _client(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(
            self._connection_string,
            name,
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )


def _taken(message: QueueMessage) -> Taken:
    return Taken(message.id, message.pop_receipt or "", message.content, message.dequeue_count or 0)


class _Stale:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AzureError) and is_taken(error):
            code = getattr(error, "error_code", "")
            raise StaleReceipt(str(getattr(code, "value", code))) from error
