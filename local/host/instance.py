"""One instance: its functions, what starts them, and the way from start to a clean stop."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import uvicorn

from local.host.errors import EXIT_CUT_OFF, EXIT_STOPPED, CannotStartError
from local.host.functions import Function, load_functions, read_functions
from local.host.http_server import HttpServer
from local.host.invocation import Invoker
from local.host.queue_poller import QueuePoller
from local.host.routes import routes_of
from local.host.settings import HostOptions, load_settings, read_host_options
from local.host.timer import TimerTrigger

logger = logging.getLogger("host")

_GRACE = 20.0
"""Seconds that running invocations get when the instance is told to stop."""


@dataclass(frozen=True)
class Options:
    """What an instance is started with: `functions` empty for all, `port` 0 for a free one."""

    root: Path
    port: int
    functions: Collection[str]
    settings: Path | None
    invisible_seconds: int


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
    host = read_host_options(options.root)
    functions = read_functions(options.root, options.functions)
    routes = routes_of(functions, prefix=host.route_prefix)
    _search_root_last(options.root)
    load_functions(functions)

    invoker = Invoker(loop, timeout=host.function_timeout)
    triggers = _triggers(functions, invoker, host, options)
    by_hand = {name: trigger.by_hand for name, trigger in triggers.items()}
    listener = _listen(options.port)
    server = _Uvicorn(HttpServer(invoker, functions=functions, routes=routes, by_hand=by_hand), listener)

    names = ", ".join(function.name for function in functions)
    # The first and only line of stdout: the socket listens already, so whoever reads it may call at once.
    print(f"host: http://127.0.0.1:{listener.getsockname()[1]} ({names})", file=sys.__stdout__, flush=True)
    return await _serve([server, *triggers.values()], stopping)


async def _serve(listeners: Collection[Listener], stopping: asyncio.Event) -> int:
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    logger.info("Stopping: no new invocations, %.0f s for those that run", _GRACE)
    for listener in listeners:
        listener.stop()
    done, running = await asyncio.wait(tasks, timeout=_GRACE)
    if running:
        logger.error("An invocation was still running after %.0f s and is cut off", _GRACE)
        os._exit(EXIT_CUT_OFF)  # its thread cannot be ended in any other way
    for task in done:
        task.result()  # a listener that ended by an exception ends the instance with it
    return EXIT_STOPPED


def _triggers(
    functions: Collection[Function], invoker: Invoker, host: HostOptions, options: Options
) -> dict[str, QueuePoller | TimerTrigger]:
    """The listeners of the functions that are not called over HTTP, by function name."""
    triggers: dict[str, QueuePoller | TimerTrigger] = {}
    for function in functions:
        match function.trigger.type:
            case "queueTrigger":
                triggers[function.name] = QueuePoller(
                    function, invoker, host.queues, invisible=options.invisible_seconds
                )
            case "timerTrigger":
                triggers[function.name] = TimerTrigger(function, invoker)
    return triggers


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise CannotStartError(f"Port {port} of 127.0.0.1 cannot be used: {error}.") from None


def _search_root_last(root: Path) -> None:
    """Search modules as Azure does: installed packages first, the app's root after all of them.

    A package that ships a top-level `shared` hides the app's, there as here; `python -m` would have put the current
    directory first.
    """
    app = {root.resolve(), Path.cwd()}
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() not in app]
    sys.path.append(os.fspath(root.resolve()))
