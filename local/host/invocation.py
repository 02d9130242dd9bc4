"""One invocation of one function: through the worker library, timed, logged, and cut off by functionTimeout."""

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from azure.functions.meta import Datum
from azure_functions_runtime_v1.native_invocation import (  # type: ignore[import-untyped]  # ships no types
    invocation_request_native,
)

from local.host.errors import EXIT_TIMED_OUT
from local.host.functions import Function

logger = logging.getLogger("host")


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: `value` is what `$return` was given, None when there is no such binding."""

    succeeded: bool
    value: Datum | None


class Invoker:
    """Runs functions on `loop`, the one event loop of the worker: async ones on it, others on the library's threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, timeout: float | None) -> None:
        self._loop = loop
        self._timeout = timeout

    async def invoke(
        self,
        function: Function,
        trigger: Datum,
        metadata: Mapping[str, Datum] | None = None,
        *,
        attempt: int = 0,
        attempts: int = 0,
    ) -> Outcome:
        """Run `function` once. An exception of it is a failed outcome; the library logs its traceback.

        `attempt` and `attempts` are the retry count and its maximum, for `context.retry_context`.
        """
        invocation_id = str(uuid.uuid4())
        started = time.monotonic()
        watchdog = self._watch(function, invocation_id)
        logger.info("%s %s started", function.name, invocation_id)
        try:
            succeeded, value, _outputs, _error, _traceback = await invocation_request_native(
                invocation_id,
                function.name,
                [(function.trigger.name, trigger)],
                dict(metadata or {}),
                retry_count=attempt,
                max_retry_count=attempts,
            )
        finally:
            if watchdog is not None:
                watchdog.cancel()
        logger.info(
            "%s %s %s in %.0f ms",
            function.name,
            invocation_id,
            "succeeded" if succeeded else "failed",
            (time.monotonic() - started) * 1000,
        )
        return Outcome(succeeded=succeeded, value=value)

    def invoke_from_thread(self, function: Function, trigger: Datum, metadata: Mapping[str, Datum]) -> Outcome:
        """The same from another thread than the loop's, waiting for the outcome."""
        return asyncio.run_coroutine_threadsafe(self.invoke(function, trigger, metadata), self._loop).result()

    def _watch(self, function: Function, invocation_id: str) -> threading.Timer | None:
        if self._timeout is None:
            return None

        def end() -> None:
            # A thread cannot be stopped from outside: Azure restarts the worker process, and so must we.
            logger.error(
                "%s %s ran longer than functionTimeout (%.0f s): ending this instance at once",
                function.name,
                invocation_id,
                self._timeout,
            )
            os._exit(EXIT_TIMED_OUT)

        watchdog = threading.Timer(self._timeout, end)
        watchdog.daemon = True
        watchdog.start()
        return watchdog
