"""What the functions log, as messages to the host, each with its invocation where the worker can tell which.

It looks for it as Azure's worker does (``get_current_invocation_id`` in proxy_worker/dispatcher.py, with a library that
has ``invocation_id_cv``): the task that is running, then that variable of the context, then the thread in which an
invocation began, which is the event loop's. A thread that somebody else has made has only what it got of the context.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from azure_functions_runtime_v1 import invocation_id_cv  # type: ignore[import-untyped]  # it ships no types

from local.host.protos import protos

# By the beginning of a logger's name: what the host keeps for itself, and shows to nobody whose app it is.
SYSTEM = ("proxy_worker", "azure.functions", "azure_functions_runtime")

_by_thread: dict[int, str] = {}


class InvocationTask(asyncio.Task[Any]):
    """A task that belongs to the invocation of the task that made it."""

    invocation: str | None

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        super().__init__(coroutine, loop=loop, **options)
        self.invocation = getattr(asyncio.current_task(loop), "invocation", None)


def begin_invocation(id_: str) -> None:
    """In the task that runs it."""
    task = asyncio.current_task()
    assert isinstance(task, InvocationTask)
    task.invocation = id_
    _by_thread[threading.get_ident()] = id_


def current_invocation() -> str | None:
    try:
        of_task = getattr(asyncio.current_task(), "invocation", None)
    except RuntimeError:  # no event loop runs in this thread
        of_task = None
    return of_task or invocation_id_cv.get() or _by_thread.get(threading.get_ident())


class RpcLogHandler(logging.Handler):
    """``say`` sends a message to the host."""

    def __init__(self, say: Callable[[Any], None]) -> None:
        super().__init__()
        self._say = say

    def attach(self) -> None:
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        levels = protos.RpcLog
        level = {
            logging.DEBUG: levels.Debug,
            logging.INFO: levels.Information,
            logging.WARNING: levels.Warning,
            logging.ERROR: levels.Error,
            logging.CRITICAL: levels.Critical,
        }.get(record.levelno, levels.Information)
        is_system = record.name.startswith(SYSTEM)
        category = levels.RpcLogCategory.Value("System" if is_system else "User")
        log = protos.RpcLog(
            level=level,
            message=self.format(record),
            category=record.name,
            log_category=category,
            invocation_id=current_invocation() or "",
        )
        self._say(protos.StreamingMessage(rpc_log=log))
