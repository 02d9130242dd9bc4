"""Which invocation of a function a thread works for.

The Functions worker finds the invocation of a log line by a ``threading.local`` that it sets in the thread of the
function alone: what other threads log belongs nowhere, unless they set it, too (Azure Functions Python developer guide,
*Logging from created threads*).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Invocation(Protocol):
    """As much of ``azure.functions.Context`` as this needs."""

    @property
    def invocation_id(self) -> str: ...

    @property
    def thread_local_storage(self) -> Any: ...


INVOCATION: ContextVar[Invocation | None] = ContextVar("INVOCATION", default=None)


@contextmanager
def carried(context: Invocation) -> Iterator[None]:
    """What SystemThreads runs for this block belongs to the invocation: for the doors, with the context that they are
    called with."""
    token = INVOCATION.set(context)
    try:
        yield
    finally:
        INVOCATION.reset(token)


@contextmanager
def logged_as_carried() -> Iterator[None]:
    """What this thread logs in the block belongs to the invocation that was carried here; without one (local tools,
    tests) it does nothing."""
    invocation = INVOCATION.get()
    if invocation is None:
        yield
        return
    local = invocation.thread_local_storage
    before = getattr(local, "invocation_id", None)
    local.invocation_id = invocation.invocation_id
    try:
        yield
    finally:
        local.invocation_id = before
