"""One invocation of one function: through the worker process, timed, logged, and cut off by functionTimeout."""

import asyncio
import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.host.functions import Function
from local.host.protos import protos
from local.host.worker_channel import WorkerChannel
from local.host.worker_process import WorkerLostError

logger = logging.getLogger("host")


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: `value`, a TypedData, is what `$return` was given, None when there is no such
    binding."""

    succeeded: bool
    value: Any


class Invoker:
    """Runs functions in the worker process of the instance; `running` is how many there are, `retries` how many have
    failed and wait to be run again."""

    def __init__(self, channel: WorkerChannel, *, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel = channel
        self._timeout = timeout
        self.running = 0
        self.retries = 0

    async def invoke(
        self,
        function: Function,
        trigger: Any,
        metadata: Mapping[str, Any] | None = None,
        *,
        attempt: int = 0,
        attempts: int = 0,
    ) -> Outcome:
        """Run `function` once; `trigger` and `metadata` are TypedData. An exception of it is a failed outcome, and its
        traceback is logged; so is the end of the worker, and so is functionTimeout, with which the worker ends.

        `attempt` and `attempts` are the retry count and its maximum, for `context.retry_context`.
        """
        invocation_id = str(uuid.uuid4())
        request = protos.InvocationRequest(
            invocation_id=invocation_id,
            function_id=function.name,
            input_data=[protos.ParameterBinding(name=function.trigger.name, data=trigger)],
            trigger_metadata=metadata,
            retry_context={"retry_count": attempt, "max_retry_count": attempts},
        )
        started = time.monotonic()
        self.running += 1
        logger.info("%s %s started", function.name, invocation_id)
        try:
            outcome = self._outcome(await self._in_time(request))
        except (WorkerLostError, TimeoutError) as error:
            logger.error("%s %s: %s", function.name, invocation_id, error)
            outcome = Outcome(succeeded=False, value=None)
        finally:
            self.running -= 1
        said = "succeeded" if outcome.succeeded else "failed"
        logger.info("%s %s %s in %.0f ms", function.name, invocation_id, said, (time.monotonic() - started) * 1000)
        return outcome

    def invoke_from_thread(self, function: Function, trigger: Any, metadata: Mapping[str, Any]) -> Outcome:
        """The same from another thread than the loop's, waiting for the outcome."""
        return asyncio.run_coroutine_threadsafe(self.invoke(function, trigger, metadata), self._loop).result()

    @contextmanager
    def retry_pending(self) -> Iterator[None]:
        """Around the wait between a failed invocation and the next one."""
        self.retries += 1
        try:
            yield
        finally:
            self.retries -= 1

    def _outcome(self, response: Any) -> Outcome:
        succeeded = response.result.status == protos.StatusResult.Success
        if not succeeded:
            exception = response.result.exception
            logger.error("%s", exception.stack_trace.strip() or exception.message)
        returned = response.return_value if response.HasField("return_value") else None
        return Outcome(succeeded, returned)

    async def _in_time(self, request: Any) -> Any:
        """Raises TimeoutError where it runs longer than functionTimeout, the time that it waits for a worker included:
        a thread cannot be stopped from outside, so Azure restarts the worker process, and so must we."""
        answering = asyncio.create_task(self._channel.invoke(request))
        done, _ = await asyncio.wait({answering}, timeout=self._timeout)
        if not done:
            self._channel.restart_for(request.invocation_id)
            answering.cancel()
            raise TimeoutError(f"Timeout value of {timedelta(seconds=self._timeout or 0)} exceeded (functionTimeout)")
        return answering.result()
