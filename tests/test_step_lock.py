"""The lock of a step: who lost it once has lost it for good."""

from types import SimpleNamespace
from typing import Any

import pytest

from local.memory.blobs import MemoryBlobs
from local.memory.clock import ManualClock
from shared.azure.system_threads import SystemThreads
from shared.errors import Changed, LockLost
from shared.record.step_lock import LOCK_SECONDS, step_lock


def test_a_lock_that_was_lost_stops_its_holder() -> None:
    clock = ManualClock()
    state = MemoryBlobs("state", clock)
    with step_lock(state, "locks/one", clock, SystemThreads(), lambda: None) as lock:
        lock.check()
        clock.sleep(LOCK_SECONDS - 1)
        assert lock.renew()
        clock.sleep(LOCK_SECONDS - 1)
        lock.check()

        clock.sleep(2)
        with pytest.raises(LockLost):
            lock.check()


def test_a_lock_that_has_run_out_is_lost_for_good_also_where_nobody_took_it() -> None:
    """Somebody may have seen meanwhile that nobody held it, and have closed the run."""
    clock = ManualClock()
    state = MemoryBlobs("state", clock)
    with step_lock(state, "locks/one", clock, SystemThreads(), lambda: None) as lock:
        clock.sleep(LOCK_SECONDS + 1)
        assert not lock.renew()
        with pytest.raises(LockLost):
            lock.check()
    assert not state.is_leased("locks/one")


def test_a_renewal_that_comes_after_the_lock_has_run_out_does_not_bring_it_back() -> None:
    """The process sleeps between its look at the clock and the call."""
    clock = ManualClock()
    state = MemoryBlobs("state", clock)
    with step_lock(_Late(state, clock, before_renewal=2), "locks/one", clock, SystemThreads(), lambda: None) as lock:
        clock.sleep(LOCK_SECONDS - 1)
        assert not lock.renew()
        with pytest.raises(LockLost):
            lock.check()


def test_a_lock_is_good_for_as_long_as_the_storage_knows_it_and_not_a_moment_longer() -> None:
    """The storage counts from when it is asked; the answer may come seconds later."""
    clock = ManualClock()
    state = MemoryBlobs("state", clock)
    with step_lock(_Late(state, clock, answers=2), "locks/one", clock, SystemThreads(), lambda: None) as lock:
        clock.sleep(LOCK_SECONDS - 1.5)
        assert not state.is_leased("locks/one")
        with pytest.raises(LockLost):
            lock.check()

    with step_lock(_Late(state, clock, answers=2), "locks/one", clock, SystemThreads(), lambda: None) as lock:
        assert lock.renew()
        clock.sleep(LOCK_SECONDS - 1.5)
        assert not state.is_leased("locks/one")
        with pytest.raises(LockLost):
            lock.check()


class _Late:
    """Blobs whose leases are renewed some seconds after they are asked for it, or say only then that they were."""

    def __init__(
        self, blobs: MemoryBlobs, clock: ManualClock, *, before_renewal: float = 0, answers: float = 0
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._before_renewal = before_renewal
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    def lease(self, name: str, seconds: int) -> Any:
        lease = self._blobs.lease(name, seconds)
        self._clock.sleep(self._answers)

        def renew() -> None:
            self._clock.sleep(self._before_renewal)
            lease.renew()
            self._clock.sleep(self._answers)

        return SimpleNamespace(renew=renew, release=lease.release)


def test_whatever_goes_wrong_after_the_lock_was_lost_is_that_it_was_lost() -> None:
    """Whoever lost the lock decides nothing about the run, whatever else they met."""
    clock = ManualClock()
    state = MemoryBlobs("state", clock)
    with pytest.raises(LockLost), step_lock(state, "locks/one", clock, SystemThreads(), lambda: None):
        clock.sleep(LOCK_SECONDS + 1)
        raise Changed("runs/a/b/run.json")
