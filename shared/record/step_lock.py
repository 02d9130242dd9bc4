"""One worker at a time: a lease on a blob of its own, renewed as long as the work goes on."""

import logging
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
        if self._clock.monotonic() > self._valid_until:
            raise LockLost(self._name)

    def renew(self) -> bool:
        """Whether to go on renewing."""
        asked = self._clock.monotonic()
        try:
            self._lease.renew()
            self._valid_until = asked + LOCK_SECONDS
        except Changed:
            self._valid_until = asked - 1
            return False
        except ExportError as error:
            _log.warning("lock %s: not renewed: %s", self._name, error.code)
        return True


@contextmanager
def step_lock(blobs: Blobs, name: str, clock: Clock, threads: Threads, beat: Callable[[], None]) -> Iterator[StepLock]:
    """Holds the lock ``name``, and calls ``beat`` now and every few seconds meanwhile. When the process dies, the lock
    is free LOCK_SECONDS later. Raises Held where somebody else has it."""
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
    finally:
        lease.release()
