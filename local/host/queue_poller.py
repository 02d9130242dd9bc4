"""The queue trigger: one message at a time, hidden while it runs, and what becomes of it afterwards.

Rules of the Functions host (QueueProcessor and QueueListener of its Storage extension): a message is hidden when it is
taken and its invisibility renewed at half time; success deletes it; a failure makes it visible again after host.json's
visibilityTimeout, or moves it to `<queue>-poison` when it was delivered maxDequeueCount times. A message that was
delivered more often than that, because instances died with it, is moved without being run.
"""

import asyncio
import base64
import json
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage

from local.host.errors import CannotStartError
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.queue_service import is_taken, open_queue
from local.host.settings import QueueOptions, resolve

logger = logging.getLogger("host.queue")

_QUICK = 0.05
"""Seconds until an empty queue is asked again; doubled with each further empty answer."""
_SLOWEST = 0.25
"""The most seconds between two questions, also when host.json allows more: a developer is waiting."""


class QueuePoller:
    """The listener of one queue function. It works in threads: a blocking function must not keep it from renewing.

    `invisible` is for how many seconds a message stays hidden when the instance dies with it. The Functions host has
    ten minutes there, fixed; nobody waits that long at a desk.
    """

    def __init__(self, function: Function, invoker: Invoker, options: QueueOptions, *, invisible: int) -> None:
        if (options.batch_size, options.new_batch_threshold) != (1, 0):
            raise CannotStartError(
                f"{function.name}: this host runs one message at a time; host.json must say batchSize 1 and "
                f"newBatchThreshold 0 under extensions.queues, not {options.batch_size} and "
                f"{options.new_batch_threshold}."
            )
        self._function = function
        self._invoker = invoker
        self._options = options
        self._invisible = invisible
        self._stopping = threading.Event()
        where = f"{function.name}/function.json"
        self._queue_name = resolve(str(function.trigger.options.get("queueName", "")), where=where)
        self._connection = str(function.trigger.options.get("connection") or "AzureWebJobsStorage")
        try:
            self._queue = open_queue(self._connection, self._queue_name)
        except (AzureError, ValueError) as error:
            raise CannotStartError(
                f"{where}: the queue {self._queue_name!r} of {self._connection} cannot be used: {error}"
            ) from None

    async def run(self) -> None:
        """Run messages until stopped; returns when the last one is done."""
        await asyncio.to_thread(self._poll)

    def stop(self) -> None:
        """Take no further message."""
        self._stopping.set()

    async def by_hand(self, text: str) -> None:
        """Run the function once with a message that is in no queue."""
        now = datetime.now(UTC)
        message = QueueMessage(id=str(uuid.uuid4()), dequeue_count=1, inserted_on=now, expires_on=now)
        await self._invoker.invoke(self._function, Datum(text, "string"), metadata_of(message))

    def _poll(self) -> None:
        # The longer the queue is empty, the less often it is asked.
        slowest = min(_SLOWEST, self._options.max_polling_interval)
        pause = 0.0
        while not self._stopping.is_set():
            try:
                message = self._queue.receive_message(visibility_timeout=self._invisible)
                if message is not None:
                    self._process(message)
            except AzureError as error:
                logger.error("Queue %s: %s", self._queue_name, error)
                message = None
            pause = min(max(pause * 2, _QUICK), slowest) if message is None else 0.0
            self._stopping.wait(pause)

    def _process(self, message: QueueMessage) -> None:
        deliveries = message.dequeue_count or 1
        if deliveries > self._options.max_dequeue_count:
            self._move_to_poison(message)
            return
        try:
            body = self._body(message)
        except ValueError:
            logger.error("Queue %s: message %s is not base64, as host.json asks", self._queue_name, message.id)
            self._move_to_poison(message)
            return
        with self._hidden(message):
            outcome = self._invoker.invoke_from_thread(self._function, body, metadata_of(message))
        try:
            if outcome.succeeded:
                self._queue.delete_message(message)
            elif deliveries >= self._options.max_dequeue_count:
                self._move_to_poison(message)
            else:
                self._queue.update_message(message, visibility_timeout=int(self._options.visibility_timeout))
        except AzureError as error:
            if not is_taken(error):
                raise
            logger.warning("Queue %s: message %s was taken by another instance", self._queue_name, message.id)

    @contextmanager
    def _hidden(self, message: QueueMessage) -> Iterator[None]:
        """Renew the message's invisibility in the background; afterwards it carries the pop receipt that counts."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(self._invisible / 2):
                try:
                    renewed = self._queue.update_message(message, visibility_timeout=self._invisible)
                except AzureError as error:
                    if is_taken(error):
                        return
                    logger.warning("Queue %s: message %s was not renewed: %s", self._queue_name, message.id, error)
                else:
                    message.pop_receipt = renewed.pop_receipt

        renewal = threading.Thread(target=renew, daemon=True)
        renewal.start()
        try:
            yield
        finally:
            done.set()
            renewal.join()

    def _move_to_poison(self, message: QueueMessage) -> None:
        poison = f"{self._queue_name}-poison"
        logger.warning(
            "Queue %s: message %s failed after %s deliveries and goes to %s",
            self._queue_name,
            message.id,
            message.dequeue_count,
            poison,
        )
        open_queue(self._connection, poison).send_message(message.content)
        self._queue.delete_message(message)

    def _body(self, message: QueueMessage) -> Datum:
        if self._options.message_encoding != "base64":
            return Datum(message.content, "string")
        content = base64.b64decode(message.content, validate=True)
        try:
            return Datum(content.decode(), "string")
        except UnicodeDecodeError:
            return Datum(content, "bytes")


def metadata_of(message: QueueMessage) -> dict[str, Datum]:
    """The trigger metadata of a message under the names that the library's queue binding reads."""
    values: Mapping[str, object] = {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "PopReceipt": message.pop_receipt,
        "InsertionTime": _text(message.inserted_on),
        "ExpirationTime": _text(message.expires_on),
        "NextVisibleTime": _text(message.next_visible_on),
    }
    # The library reads null as the text "None": what a message does not have is left out.
    return {name: Datum(json.dumps(value), "json") for name, value in values.items() if value is not None}


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
