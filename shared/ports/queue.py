"""The queue of work, as far as the product puts into it; taking out is the platform's."""

from typing import Protocol


class Queue(Protocol):
    """Raises as ``Blobs`` does. A message that was put is delivered at least once; nothing is promised of the order.

    Whoever takes a message out has it unseen for a time; when it is not deleted by then it is delivered again, with a
    count one higher. After several failed deliveries the platform moves it to the poison queue beside.
    """

    @property
    def name(self) -> str: ...

    def probe(self) -> None:
        """Asks once whether the queue is there and answers."""

    def put(self, message: str, *, delay: int = 0) -> None:
        """``delay`` in seconds: how long the message stays unseen. Messages never expire."""

    def poison_length(self) -> int:
        """About how many messages were given up after several deliveries."""
