"""The queue trigger: one message at a time, hidden while it runs, and what becomes of it afterwards.

Rules of the Storage extension (QueueListener and QueueProcessor), measured with it:

* a message is hidden for ten minutes when it is taken, renewed at half time; success deletes it; a failure makes it
  visible again after host.json's visibilityTimeout, or moves it to ``<queue>-poison``, which is made when it is needed,
  when it was delivered maxDequeueCount times. One that was delivered more often, because instances died with it, is
  moved without being run, and so is one that is not base64;
* an empty queue is asked less and less often, as is one that is not there, or whose service fails (5xx);
* the instance ends where storage refuses a receive, a renewal, a deletion or a move, also in the middle of a step.
"""

import asyncio
import base64
import json
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.queue import QueueMessage

from local.host.errors import EXIT_STORAGE, CannotStartError
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.protos import protos
from local.host.settings import QueueOptions, resolve
from local.host.storage_service import is_absent, is_of_the_server, is_taken, queue_client, short
from local.host.times import Times

logger = logging.getLogger("host.queue")

_FIRST_PAUSE, _LONGER = 0.12, 1.75  # seconds and factor: 0.12, 0.22, 0.35, 0.6, 1.1, 1.9, 3.4 were seen
_BLANKS = re.compile(r"\s")


class QueueListener:
    """The listener of one queue function, in threads of its own. ``end`` ends the instance, with an exit code."""

    def __init__(
        self,
        function: Function,
        invoker: Invoker,
        options: QueueOptions,
        times: Times,
        *,
        end: Callable[[int], None],
    ) -> None:
        if (options.batch_size, options.new_batch_threshold) != (1, 0):
            raise CannotStartError(
                f"{function.name}: this host runs one message at a time; host.json must say batchSize 1 and "
                f"newBatchThreshold 0 under extensions.queues, not {options.batch_size} and "
                f"{options.new_batch_threshold}."
            )
        self._function = function
        self._invoker = invoker
        self._options = options
        self._invisible = times.invisible
        self._end = end
        self._stopping = threading.Event()
        where = f"{function.name}/function.json"
        self._name = resolve(str(function.trigger.options.get("queueName", "")), where=where)
        connection = str(function.trigger.options.get("connection") or "AzureWebJobsStorage")
        try:
            self._queue, self._poison = (
                queue_client(connection, name, patience=times.storage_patience)
                for name in (self._name, f"{self._name}-poison")
            )
        except ValueError as error:
            raise CannotStartError(f"{where}: {connection} cannot be used: {error}") from None

    async def run(self) -> None:
        """Run messages until stopped; returns when the last one is done."""
        await asyncio.to_thread(self._poll)

    def stop(self) -> None:
        """Take no further message."""
        self._stopping.set()

    drain = stop

    async def by_hand(self, text: str) -> None:
        """Run the function once with a message that is in no queue."""
        now = datetime.now(UTC)
        message = QueueMessage(id=str(uuid.uuid4()), dequeue_count=1, inserted_on=now, expires_on=now)
        await self._invoker.invoke(self._function, protos.TypedData(string=text), metadata_of(message))

    def _poll(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            message = self._receive()
            if message is None:
                pause = min(max(pause * _LONGER, _FIRST_PAUSE), self._options.max_polling_interval)
            elif self._stopping.is_set():
                logger.info("Queue %s: a message came when it had stopped, and stays hidden", self._name)
            else:
                pause = 0.0
                self._process(message)

    def _receive(self) -> QueueMessage | None:
        try:
            return self._queue.receive_message(visibility_timeout=int(self._invisible))
        except AzureError as error:
            if is_absent(error) or is_of_the_server(error):
                logger.warning("Queue %s: %s", self._name, short(error))
                return None
            self._give_up("a receive", error)
            return None

    def _process(self, message: QueueMessage) -> None:
        deliveries = message.dequeue_count or 1
        if deliveries > self._options.max_dequeue_count:
            self._move_to_poison(message)
            return
        try:
            body = self._body(message)
        except ValueError:
            logger.error("Queue %s: message %s is not base64, as host.json asks", self._name, message.id)
            self._move_to_poison(message)
            return
        with self._hidden(message):
            outcome = self._invoker.invoke_from_thread(self._function, body, metadata_of(message))
        if outcome.succeeded:
            self._must("a deletion", lambda: self._queue.delete_message(message))
        elif deliveries >= self._options.max_dequeue_count:
            self._move_to_poison(message)
        else:
            back = int(self._options.visibility_timeout)
            self._must("a release", lambda: self._queue.update_message(message, visibility_timeout=back))

    @contextmanager
    def _hidden(self, message: QueueMessage) -> Iterator[None]:
        """Renew the message's invisibility in the background; afterwards it carries the pop receipt that counts."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(self._invisible / 2):
                renewed = self._must(
                    "a renewal",
                    lambda: self._queue.update_message(message, visibility_timeout=int(self._invisible)),
                )
                if renewed is None:
                    return
                message.pop_receipt = renewed.pop_receipt

        renewal = threading.Thread(target=renew, daemon=True)
        renewal.start()
        try:
            yield
        finally:
            done.set()
            renewal.join()

    def _move_to_poison(self, message: QueueMessage) -> None:
        words = "Queue %s: message %s failed after %s deliveries and goes to %s-poison"
        logger.warning(words, self._name, message.id, message.dequeue_count, self._name)
        self._must("a move to poison", lambda: self._copy(message))
        self._must("a deletion", lambda: self._queue.delete_message(message))

    def _copy(self, message: QueueMessage) -> None:
        try:
            self._poison.send_message(message.content)
        except AzureError as error:
            if not is_absent(error):
                raise
            with suppress(ResourceExistsError):
                self._poison.create_queue()
            self._poison.send_message(message.content)

    def _must(self, what: str, call: Callable[[], Any]) -> Any:
        """What ``call`` returns, None where somebody else has the message by now."""
        try:
            return call()
        except AzureError as error:
            if is_taken(error) or is_absent(error):
                logger.warning("Queue %s: a message is not there any more: %s", self._name, short(error))
                return None
            self._give_up(what, error)
            return None

    def _give_up(self, what: str, error: AzureError) -> None:
        logger.error("Queue %s: storage refuses %s, so this instance ends: %s", self._name, what, short(error))
        self._end(EXIT_STORAGE)

    def _body(self, message: QueueMessage) -> Any:
        if self._options.message_encoding != "base64":
            return protos.TypedData(string=message.content)
        content = base64.b64decode(_BLANKS.sub("", message.content), validate=True)
        try:
            return protos.TypedData(string=content.decode())
        except UnicodeDecodeError:
            return protos.TypedData(bytes=content)


def metadata_of(message: QueueMessage) -> dict[str, Any]:
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
    return {name: protos.TypedData(json=json.dumps(value)) for name, value in values.items() if value is not None}


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
