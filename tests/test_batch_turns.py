"""The batches of one slice, of which several are in flight."""

import threading
import time

from local.memory.blobs import MemoryBlobs
from local.memory.clock import ManualClock
from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.errors import TemporaryError
from shared.record.batch_results import BatchResult, Results
from shared.send.batch_turns import InFlight


def test_calls_in_flight_are_told_what_has_happened_since_no_more_began() -> None:
    """The time of an invocation is over, so nothing begins; what is in flight may end, until the run is cancelled."""
    asked, told = 0, threading.Event()

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return True

    def interrupt() -> None:
        if asked >= 3:  # it was cancelled after the first look
            told.set()

    def call(_batch: int, _so_far: BatchResult | None) -> BatchResult:
        assert told.wait(10), "a call of many requests is never told"
        return BatchResult(added=1, updated=0)

    results = Results(MemoryBlobs("export-state", ManualClock()), "runs/e/r/01-a/")
    in_flight = InFlight(
        call, 0, 1, results, clock=SystemClock(), checkpoint_seconds=0.01, stop=stop, interrupt=interrupt
    )

    assert in_flight.work_off(SystemThreads(), 1).complete


def test_a_look_that_fails_when_no_more_begins_costs_nothing_that_is_saved() -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise TemporaryError("storage_unavailable", "Storage does not answer.", "Wait.")
        return True

    def call(_batch: int, _so_far: BatchResult | None) -> BatchResult:
        deadline = time.monotonic() + 10
        while asked < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        return BatchResult(added=1, updated=0)

    results = Results(MemoryBlobs("export-state", ManualClock()), "runs/e/r/01-a/")
    in_flight = InFlight(
        call, 0, 1, results, clock=SystemClock(), checkpoint_seconds=0.01, stop=stop, interrupt=lambda: None
    )

    assert in_flight.work_off(SystemThreads(), 1).complete
    assert asked >= 3
