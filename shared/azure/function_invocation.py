"""Which invocation of a function a thread works for.

The Functions worker finds the invocation of a log line by the running task, and in threads by ``invocation_id_cv``
(``get_current_invocation_id`` in its ``proxy_worker/dispatcher.py``); the host drops a line without one. The worker
library sets that variable for functions that are no coroutines, and for coroutines only where the Rust worker enters
them. A thread has it where it has got the context of whoever started it, as those of SystemThreads and of anyio have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from azure_functions_runtime_v1 import invocation_id_cv  # type: ignore[import-untyped]  # it ships no types


class Invocation(Protocol):
    """As much of ``azure.functions.Context`` as this needs."""

    @property
    def invocation_id(self) -> str: ...


@contextmanager
def carried(context: Invocation) -> Iterator[None]:
    """What the block logs belongs to the invocation, also in threads with its context: for doors that are coroutines,
    with the context that they are called with."""
    token = invocation_id_cv.set(context.invocation_id)
    try:
        yield
    finally:
        invocation_id_cv.reset(token)
