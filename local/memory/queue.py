"""A queue in memory: keeps ``shared.ports.queue.Queue``, and is what the platform takes from."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.ports.clock import Clock

MOST_BYTES = 48 * 1024  # of a message: 64 KiB in base64
_MOST_DELAY_SECONDS = 7 * 24 * 3600


class StaleReceipt(Exception):
    """This delivery of the message is over. ``code`` is the service's: ``MessageNotFound`` where it was deleted,
    ``PopReceiptMismatch`` where it was delivered again or renewed since."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Taken:
    """One delivery of a message, the ``count``-th, counted from 1; the ``receipt`` is good for it alone."""

    id: str
    receipt: str
    text: str
    count: int


@dataclass(frozen=True)
class Message:
    """As it lies in the queue; ``count`` is how often it was delivered."""

    id: str
    text: str
    visible_at: datetime
    count: int = 0
    receipt: str = ""


class MemoryQueue:
    """``clock`` is that of the storage. Messages come in the order in which they have become visible."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.RLock()
        self._messages: dict[str, Message] = {}
        self._numbers = 0
        self._poison: MemoryQueue | None = None

    def probe(self) -> None:
        pass

    def put(self, message: str, *, delay: int = 0) -> None:
        assert len(message.encode()) <= MOST_BYTES, "Azure takes no longer message."
        assert 0 <= delay <= _MOST_DELAY_SECONDS, "Azure takes no longer delay."
        with self._lock:
            number = self._number()
            self._messages[number] = Message(number, message, self._in(delay))

    def poison_length(self) -> int:
        return len(self.poison.lying()) if self._poison else 0

    @property
    def poison(self) -> "MemoryQueue":
        with self._lock:
            if self._poison is None:
                self._poison = MemoryQueue(f"{self.name}-poison", self._clock)
            return self._poison

    def lying(self) -> list[Message]:
        """All messages, also those that are not visible now, in the order in which they will be."""
        with self._lock:
            # Sorting keeps the order of those that are visible from the same moment on.
            return sorted(self._messages.values(), key=lambda message: message.visible_at)

    def take(self, invisible_seconds: float) -> Taken | None:
        """None where no message is visible."""
        with self._lock:
            first = min(self._messages.values(), key=lambda message: message.visible_at, default=None)
            if first is None or first.visible_at > self._clock.now():
                return None
            return self._delivered(replace(first, count=first.count + 1), invisible_seconds)

    def renew(self, taken: Taken, seconds: float) -> Taken:
        """Unseen for so many seconds from now on, also where the time was over and nobody has taken it; only the
        receipt that this returns is good any more. Raises StaleReceipt, as the following do."""
        with self._lock:
            return self._delivered(self._mine(taken), seconds)

    def done(self, taken: Taken) -> None:
        with self._lock:
            del self._messages[self._mine(taken).id]

    def back(self, taken: Taken, seconds: float = 0) -> None:
        """Visible again after so many seconds, for the next delivery."""
        self.renew(taken, seconds)

    def to_poison(self, taken: Taken) -> None:
        """A copy is put there first, as the Functions host does: with a stale receipt there are two."""
        self.poison.put(taken.text)
        self.done(taken)

    def _delivered(self, message: Message, seconds: float) -> Taken:
        kept = replace(message, visible_at=self._in(seconds), receipt=self._number())
        self._messages[kept.id] = kept
        return Taken(kept.id, kept.receipt, kept.text, kept.count)

    def _mine(self, taken: Taken) -> Message:
        message = self._messages.get(taken.id)
        if message is None:
            raise StaleReceipt("MessageNotFound")
        if message.receipt != taken.receipt:
            raise StaleReceipt("PopReceiptMismatch")
        return message

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)

    def _number(self) -> str:
        self._numbers += 1
        return str(self._numbers)
