"""One worker at a time: a lease on a blob of its own, renewed as long as the work goes on."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.errors import Changed, ExportError, LockLost
from shared.ports.blobs import Blobs, Lease
from shared.ports.clock import Clock
from shared.ports.threads import Threads

LOCK_SECONDS = 30  # a lease takes 15 to 60

_log = logging.getLogger(__name__)


class StepLock:
    def __init__(self, name: str, lease: Lease, clock: Clock, valid_until: float) -> None:
        self._name = name
        self._lease = lease
        self._clock = clock
        self._valid_until = valid_until

    def check(self) -> None:
        """Raises LockLost where the lock is no longer ours: this process slept too long, or the storage was away."""
        if self._has_run_out():
            raise LockLost(self._name)

    def renew(self) -> bool:
        """Whether to go on renewing. A lock that has run out is lost for good, also where the storage would give it
        back: somebody may have seen that nobody held it, and have gone on from there."""
        asked = self._clock.monotonic()
        try:
            if not self._has_run_out():
                self._lease.renew()
        except Changed:
            self._valid_until = -math.inf
        except ExportError as error:
            _log.warning("lock %s: not renewed: %s", self._name, error.code)
            return True
        if self._has_run_out():
            return False
        self._valid_until = asked + LOCK_SECONDS
        return True

    def _has_run_out(self) -> bool:
        return self._clock.monotonic() > self._valid_until


@contextmanager
def step_lock(blobs: Blobs, name: str, clock: Clock, threads: Threads, beat: Callable[[], None]) -> Iterator[StepLock]:
    """Holds the lock ``name``, and calls ``beat`` now and every few seconds meanwhile. When the process dies, the lock
    is free LOCK_SECONDS later. Raises Held where somebody else has it, and LockLost in the place of whatever is raised
    after the lock was lost: that says nothing about the work, which may be somebody else's by then."""
    asked = clock.monotonic()
    lease = blobs.lease(name, LOCK_SECONDS)
    lock = StepLock(name, lease, clock, asked + LOCK_SECONDS)

    def renew() -> bool:
        if not lock.renew():
            return False
        try:
            beat()
        except ExportError as error:
            _log.warning("lock %s: no heartbeat: %s", name, error.code)
        return True

    try:
        beat()
        with threads.repeat(renew, LOCK_SECONDS / 4):
            yield lock
    except Exception:
        lock.check()
        raise
    finally:
        lease.release()
