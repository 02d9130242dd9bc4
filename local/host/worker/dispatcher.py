"""Between the stream of the host and the worker library, as Azure's own worker stands there (proxy_worker/dispatcher.py
of azure-functions-python-worker, and its Rust successor for the native door)."""

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import azure_functions_runtime_v1 as library  # type: ignore[import-untyped]  # it ships no types
import grpc  # type: ignore[import-untyped]  # as above
from azure_functions_runtime_v1.bindings.datumdef import (  # type: ignore[import-untyped]
    Datum,
    datum_as_proto,
)
from azure_functions_runtime_v1.native_invocation import (  # type: ignore[import-untyped]
    invocation_request_native,
    run_invocation_sync,
)

from local.host.protos import protos
from local.host.worker.rpc_log import InvocationTask, RpcLogHandler, begin_invocation


class _Request:
    """As the library wants to be asked."""

    def __init__(self, message: Any) -> None:
        self.request = message
        self.properties = {"protos": protos, "host": "127.0.0.1"}


class Dispatcher:
    """``native``: functions are invoked by the library's other door, as the Rust worker does; the rest is the same."""

    def __init__(self, address: str, *, native: bool) -> None:
        self._address = address
        self._said: queue.Queue[Any] = queue.Queue()
        self._handlers: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "worker_init_request": self._init,
            "function_load_request": self._load,
            "invocation_request": self._invoke_native if native else self._invoke,
            "worker_status_request": self._status,
        }

    async def run(self) -> None:
        """Until the host has gone: then the process ends at once, whatever is running."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(InvocationTask)
        RpcLogHandler(self._said.put).attach()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        await asyncio.Event().wait()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        stub = protos.FunctionRpcStub(grpc.insecure_channel(self._address, options))
        self._said.put(protos.StreamingMessage(start_stream=protos.StartStream(worker_id=str(os.getpid()))))
        try:
            for message in stub.EventStream(self._to_say()):
                loop.call_soon_threadsafe(loop.create_task, self._answer(message))
        finally:
            os._exit(1)  # the host has gone; a thread of a function cannot be ended in any other way

    def _to_say(self) -> Iterator[Any]:
        while True:
            yield self._said.get()

    async def _answer(self, message: Any) -> None:
        handler = self._handlers.get(message.WhichOneof("content"))
        try:
            if handler:
                self._said.put(protos.StreamingMessage(request_id=message.request_id, **await handler(message)))
        except Exception:
            logging.getLogger("proxy_worker").exception("A message of the host has no answer")

    async def _init(self, message: Any) -> dict[str, Any]:
        library.start_threadpool_executor()
        return {"worker_init_response": await library.worker_init_request(_Request(message))}

    async def _load(self, message: Any) -> dict[str, Any]:
        return {"function_load_response": await library.function_load_request(_Request(message))}

    async def _status(self, _: Any) -> dict[str, Any]:
        return {"worker_status_response": protos.WorkerStatusResponse()}

    async def _invoke(self, message: Any) -> dict[str, Any]:
        begin_invocation(message.invocation_request.invocation_id)
        return {"invocation_response": await library.invocation_request(_Request(message))}

    async def _invoke_native(self, message: Any) -> dict[str, Any]:
        """Functions that are no coroutines take the synchronous door: the library says whose turn it is."""
        asked = message.invocation_request
        given = {
            "invocation_id": asked.invocation_id,
            "function_id": asked.function_id,
            "inputs": [(one.name, Datum.from_typed_data(one.data)) for one in asked.input_data],
            "trigger_metadata": {name: Datum.from_typed_data(one) for name, one in asked.trigger_metadata.items()},
            "retry_count": asked.retry_context.retry_count,
            "max_retry_count": asked.retry_context.max_retry_count,
        }
        # It blocks until the function has ended, as it blocks a thread of the Rust worker.
        handled, *outcome = await asyncio.to_thread(partial(run_invocation_sync, **given))
        ok, value, outputs, error, trace = outcome if handled else await invocation_request_native(**given)
        exception = None if ok else protos.RpcException(message=error or "", stack_trace=trace or "")
        status = protos.StatusResult.Success if ok else protos.StatusResult.Failure
        return {
            "invocation_response": protos.InvocationResponse(
                invocation_id=asked.invocation_id,
                return_value=datum_as_proto(value, protos) if value is not None else None,
                output_data=[
                    protos.ParameterBinding(name=name, data=datum_as_proto(one, protos)) for name, one in outputs
                ],
                result=protos.StatusResult(status=status, exception=exception),
            )
        }
