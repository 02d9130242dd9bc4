"""One worker process, and the stream of messages to it and from it, as in the Functions host (GrpcWorkerChannel in the
sources of azure-functions-host).

What the functions log comes with its invocation, and is passed on as long as that is running. A line without one, or of
one that has ended, is dropped, as there: no query and no alert ever sees it.
"""

import asyncio
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

from local.host.errors import CannotStartError
from local.host.functions import Function
from local.host.protos import protos

logger = logging.getLogger("host.worker")

_START_SECONDS = 60.0  # WorkerConstants.ProcessStartTimeoutSeconds
_LEVELS = {
    protos.RpcLog.Trace: logging.DEBUG,
    protos.RpcLog.Debug: logging.DEBUG,
    protos.RpcLog.Information: logging.INFO,
    protos.RpcLog.Warning: logging.WARNING,
    protos.RpcLog.Error: logging.ERROR,
    protos.RpcLog.Critical: logging.CRITICAL,
}


class WorkerLostError(Exception):
    """The worker ended while the invocation was running, or none came up for it."""


class WorkerProcess:
    """``forgiven``: the host ended it, so its death is none of the app's."""

    def __init__(self) -> None:
        self.forgiven = False
        self.executing: dict[str, asyncio.Future[Any]] = {}
        self._to_send: asyncio.Queue[Any] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "local.host.worker", *arguments]
        self._process = subprocess.Popen(command, stdout=sys.stderr)

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    async def ended(self) -> int:
        """Its exit code, once it has ended: what it was asked has failed then."""
        assert self._process
        code = await asyncio.to_thread(self._process.wait)
        lost = WorkerLostError(f"The worker process has ended with exit code {code}.")
        for waiting in (*self._answers.values(), *self.executing.values()):
            if not waiting.done():
                waiting.set_exception(lost)
        return code

    async def init(self, directory: str) -> None:
        """Raises CannotStartError."""
        await self._ask(worker_init_request=protos.WorkerInitRequest(function_app_directory=directory))

    async def load(self, function: Function) -> None:
        """Raises CannotStartError where the worker cannot load it: the error is the cause, with its traceback."""
        bindings = {
            name: protos.BindingInfo(
                type=one.type,
                direction=protos.BindingInfo.Direction.Value(one.direction),
                data_type=protos.BindingInfo.undefined,
            )
            for name, one in function.bindings.items()
        }
        metadata = protos.RpcFunctionMetadata(
            name=function.name,
            directory=function.directory,
            script_file=os.fspath(function.script),
            entry_point=function.entry_point,
            bindings=bindings,
        )
        request = protos.FunctionLoadRequest(function_id=function.name, metadata=metadata)
        response = (await self._ask(function_load_request=request)).function_load_response
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            logger.error("%s", error.stack_trace)
            raise CannotStartError(f"{function.name} cannot load: {error.message}.")

    async def invoke(self, request: Any) -> Any:
        """Raises WorkerLostError where the worker ends before it answers."""
        answer = self.executing[request.invocation_id] = asyncio.get_running_loop().create_future()
        self._to_send.put_nowait(protos.StreamingMessage(invocation_request=request))
        try:
            return await answer
        finally:
            del self.executing[request.invocation_id]

    async def stream(self, messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """What is to be sent, as long as somebody takes it; ``messages`` are what comes."""
        reading = asyncio.create_task(self._read(messages))
        try:
            while True:
                yield await self._to_send.get()
        finally:
            reading.cancel()

    async def _ask(self, **content: Any) -> Any:
        id_ = uuid.uuid4().hex
        answer = self._answers[id_] = asyncio.get_running_loop().create_future()
        self._to_send.put_nowait(protos.StreamingMessage(request_id=id_, **content))
        try:
            return await asyncio.wait_for(answer, _START_SECONDS)
        except (TimeoutError, WorkerLostError) as error:
            raise CannotStartError(f"The worker process does not answer: {error or 'it is silent'}.") from None
        finally:
            del self._answers[id_]

    async def _read(self, messages: AsyncIterator[Any]) -> None:
        async for message in messages:
            content = message.WhichOneof("content")
            if content == "rpc_log":
                self._pass_on(message.rpc_log)
            elif content == "invocation_response":
                answer = self.executing.get(message.invocation_response.invocation_id)
                if answer and not answer.done():
                    answer.set_result(message.invocation_response)
            elif (asked := self._answers.get(message.request_id)) and not asked.done():
                asked.set_result(message)

    def _pass_on(self, log: Any) -> None:
        level = _LEVELS.get(log.level, logging.INFO)
        if log.log_category != protos.RpcLog.RpcLogCategory.Value("User"):
            logger.log(level if level >= logging.WARNING else logging.DEBUG, "%s", log.message)
        elif log.invocation_id in self.executing:
            logging.getLogger(log.category).log(level, "%s", log.message)
        else:
            logger.warning("A line of %s belongs to no invocation that is running, and is dropped", log.category)
