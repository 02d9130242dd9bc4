"""One instance: its functions, what starts them, and the way from start to a clean stop."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from azure.core.exceptions import AzureError

from local.host.errors import EXIT_CUT_OFF, EXIT_FAILED, EXIT_STOPPED, EXIT_STORAGE, CannotStartError
from local.host.functions import Function, read_functions
from local.host.http_server import HttpServer
from local.host.invocation import Invoker
from local.host.own_app import prepare
from local.host.queue_listener import QueueListener
from local.host.routes import routes_of
from local.host.settings import HostOptions, host_id, load_settings, read_host_options
from local.host.timer import TimerListener
from local.host.times import Times
from local.host.worker_channel import WorkerChannel

logger = logging.getLogger("host")


@dataclass(frozen=True)
class Options:
    """What an instance is started with: `functions` empty for all, `port` 0 for a free one; `native` is the door of the
    worker library."""

    root: Path
    port: int
    functions: Collection[str]
    settings: Path | None
    times: Times
    native: bool


class Listener(Protocol):
    """What waits for events: `run` ends, once `stop` was called, when the running invocation is done."""

    async def run(self) -> None:
        """Wait for events and invoke functions."""

    def stop(self) -> None:
        """Begin nothing new."""


class _Uvicorn(uvicorn.Server):
    """The HTTP listener, on a socket that is already bound."""

    def __init__(self, app: HttpServer, listener: socket.socket) -> None:
        super().__init__(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        self._listener = listener

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the instance: it has more to stop than this server."""
        yield

    async def run(self) -> None:  # type: ignore[override]  # uvicorn's own starts an event loop; there is one
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        self.should_exit = True


async def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; CannotStartError before anything is served."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    load_settings(options.settings)
    prepare()
    host = read_host_options(options.root)
    functions = read_functions(options.root, options.functions)
    routes = routes_of(functions, prefix=host.route_prefix)

    channel = WorkerChannel(functions, options.root, native=options.native, end=_end)
    invoker = Invoker(channel, timeout=host.function_timeout)
    triggers = _triggers(functions, invoker, host, options)
    by_hand = {name: trigger.by_hand for name, trigger in triggers.items()}
    listener = _listen(options.port)

    def drain() -> None:
        for trigger in triggers.values():
            trigger.drain()

    app = HttpServer(invoker, functions=functions, routes=routes, by_hand=by_hand, drain=drain)
    server = _Uvicorn(app, listener)
    try:
        if await _is_stopped_before(channel.start(), stopping):
            return EXIT_STOPPED
        names = ", ".join(function.name for function in functions)
        # The first and only line of stdout: the socket listens already, so whoever reads it may call at once.
        print(f"host: http://127.0.0.1:{listener.getsockname()[1]} ({names})", file=sys.__stdout__, flush=True)
        return await _serve([server, *triggers.values()], stopping, options.times.grace, invoker)
    finally:
        await channel.stop()


async def _is_stopped_before(start: Coroutine[Any, Any, None], stopping: asyncio.Event) -> bool:
    """Raises what ``start`` raises."""
    starting, told = asyncio.create_task(start), asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        told.cancel()
        starting.result()
        return False
    starting.cancel()
    return True


async def _serve(listeners: Collection[Listener], stopping: asyncio.Event, grace: float, invoker: Invoker) -> int:
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    told = asyncio.create_task(stopping.wait())
    waiting: set[asyncio.Task[Any]] = {told, *tasks}
    code = EXIT_STOPPED
    while not told.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        failed = [error for task in done if (error := task.exception())]  # one that has ended without is drained
        for error in failed:
            logger.error("A listener fails, so this instance ends", exc_info=error)
        if failed:
            told.cancel()
            code = EXIT_STORAGE if any(isinstance(error, AzureError) for error in failed) else EXIT_FAILED
            break
    logger.info("Stopping: no new invocations, %.0f s for those that run", grace)
    for listener in listeners:
        listener.stop()
    _, waiting = await asyncio.wait(tasks, timeout=grace)
    if invoker.running:
        logger.error("An invocation was still running after %.0f s and is cut off", grace)
        code = code or EXIT_CUT_OFF
    if waiting:
        os._exit(code)  # a thread cannot be ended in any other way; the worker ends with this process
    return code


def _end(code: int) -> None:
    """At once, from whatever thread, in the middle of whatever runs."""
    os._exit(code)


def _triggers(
    functions: Collection[Function], invoker: Invoker, host: HostOptions, options: Options
) -> dict[str, QueueListener | TimerListener]:
    """The listeners of the functions that are not called over HTTP, by function name."""
    triggers: dict[str, QueueListener | TimerListener] = {}
    for function in functions:
        match function.trigger.type:
            case "queueTrigger":
                triggers[function.name] = QueueListener(function, invoker, host.queues, options.times, end=_end)
            case "timerTrigger":
                own = host_id(options.root)
                triggers[function.name] = TimerListener(function, invoker, options.times, host_id=own, end=_end)
    return triggers


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise CannotStartError(f"Port {port} of 127.0.0.1 cannot be used: {error}.") from None
