"""Keeps a worker process up, as the Functions host does (RpcFunctionInvocationDispatcher in its sources).

Where one dies, what it had in work fails with it, and another one is started, for which invocations wait. At the third
death, each less than half an hour after the one before, the instance ends.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # it ships no types

from local.host.errors import EXIT_WORKER_ERRORS, CannotStartError
from local.host.functions import Function
from local.host.protos import protos
from local.host.worker_process import WorkerLostError, WorkerProcess

logger = logging.getLogger("host.worker")

_MOST_DEATHS = 3  # ErrorEventsThreshold
_FORGOTTEN_AFTER = 30 * 60.0  # seconds: WorkerConstants.WorkerRestartErrorIntervalThresholdInMinutes
_PATIENCE = (_MOST_DEATHS + 1) * 60.0  # seconds for which an invocation waits: WorkerFunctionInvoker
_STREAM_ENDS_SECONDS = 5.0


class Deaths:
    """``count`` of them, each at most half an hour after the one before."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()
        self.count = 0

    def add(self) -> None:
        now = self._now()
        self.count = self.count + 1 if now - self._last <= _FORGOTTEN_AFTER else 1
        self._last = now


class WorkerChannel:
    """``end`` ends the instance, with an exit code; ``native`` is the door by which the worker enters functions."""

    def __init__(
        self, functions: Collection[Function], root: Path, *, native: bool, end: Callable[[int], None]
    ) -> None:
        self._functions = functions
        self._root = root
        self._door = "native" if native else "classic"
        self._end = end
        self._worker = WorkerProcess()
        self._ready = asyncio.Event()
        self._deaths = Deaths()
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: set[asyncio.Task[Any]] = set()
        self._has_started = self._stopped = False
        self._server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        )
        protos.add_FunctionRpcServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")

    async def start(self) -> None:
        """Raises CannotStartError where a function cannot be loaded, or nothing is heard of the worker."""
        await self._server.start()
        await self._start_worker()
        self._has_started = True

    async def stop(self) -> None:
        """At once: who wants to wait for what is in work has done so."""
        self._stopped = True
        self._worker.kill()
        await self._server.stop(None)
        # That returns before the calls have ended, and gRPC logs an error for each that the end of the loop cancels.
        if self._streams:
            await asyncio.wait(self._streams, timeout=_STREAM_ENDS_SECONDS)

    async def invoke(self, request: Any) -> Any:
        """Sends an InvocationRequest and returns the InvocationResponse. Raises WorkerLostError."""
        try:
            await asyncio.wait_for(self._ready.wait(), _PATIENCE)
        except TimeoutError:
            self._end(EXIT_WORKER_ERRORS)
            raise WorkerLostError("No worker process has come up.") from None
        return await self._worker.invoke(request)

    def restart_for(self, invocation_id: str) -> None:
        """Ends the worker that has this invocation in work, where there is one; that counts for no death."""
        if invocation_id in self._worker.executing:
            self._worker.forgiven = True
            self._worker.kill()

    async def EventStream(self, messages: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:  # noqa: N802
        """What gRPC calls when the worker connects, in a task of its own: it yields what is to be sent."""
        if task := asyncio.current_task():
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)
        async for message in self._worker.stream(messages):
            yield message

    async def _start_worker(self) -> None:
        self._worker = worker = WorkerProcess()
        worker.launch([f"127.0.0.1:{self._port}", os.fspath(self._root), self._door])
        watching = asyncio.create_task(self._watch(worker))
        self._tasks.add(watching)
        watching.add_done_callback(self._tasks.discard)
        try:
            await worker.init(os.fspath(self._root))
            for function in self._functions:
                await worker.load(function)
        except CannotStartError:
            worker.kill()
            raise
        self._ready.set()

    async def _watch(self, worker: WorkerProcess) -> None:
        code = await worker.ended()
        if self._stopped or not self._has_started:
            return
        self._ready.clear()
        if not worker.forgiven:
            self._deaths.add()
        if self._deaths.count >= _MOST_DEATHS:
            logger.error("The worker process has died %s times: this instance ends", self._deaths.count)
            self._end(EXIT_WORKER_ERRORS)
            return
        logger.error("The worker process has ended with exit code %s: another one is started", code)
        try:
            await self._start_worker()
        except CannotStartError as error:  # whoever watches that one counts its end, and starts the next
            logger.error("%s", error)
