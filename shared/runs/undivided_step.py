"""A step that is done in one invocation or not at all: planning, and the audit."""

from collections import Counter

from shared.errors import DestinationError, ExportError, SegmentError
from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_lock import StepLock

SEGMENTS, LIST, SLICES = "the segments", "the list", "what was sent before"


class Stopped(Exception):
    """The run is to be stopped."""


class Undivided:
    """Whether the step may go on: it holds its lock, it is in time, and its run is not to be stopped.

    What the platform ends (functionTimeout in host.json) it begins again, for hours; so the step ends by itself before
    that, with an error that says what it had been ``reading`` for most of the time.
    """

    def __init__(self, app: App, run: Run, lock: StepLock, reading: str) -> None:
        self._app = app
        self._run = run
        self._lock = lock
        self._reading = reading
        self._began = self._since = app.clock.monotonic()
        self._took: Counter[str] = Counter()
        self._look_at = 0.0

    def reading(self, what: str) -> None:
        """From here on: the segments, the list, or slices."""
        now = self._app.clock.monotonic()
        self._took[self._reading] += round(now - self._since)
        self._reading, self._since = what, now

    def must_be_in_time(self) -> None:
        """Asks nobody, so that it may come before each call. Raises LockLost, Stopped, or ExportError where it is
        late."""
        self._lock.check()
        if self._app.clock.monotonic() - self._began > self._app.undivided_seconds:
            self._must_not_be_stopped()
            self.reading(self._reading)
            raise _late(self._took.most_common(1)[0][0], self._app.undivided_seconds / 60)

    def must_go_on(self) -> None:
        """The same, and now and then looks whether the run is to be stopped."""
        self.must_be_in_time()
        if self._app.clock.monotonic() >= self._look_at:
            self._must_not_be_stopped()
            self._look_at = self._app.clock.monotonic() + self._app.checkpoint_seconds

    def _must_not_be_stopped(self) -> None:
        if self._app.runs.get(self._run.export, self._run.id).stopping:
            raise Stopped


def _late(what: str, minutes: float) -> ExportError:
    if what == SEGMENTS:
        return SegmentError(
            "planning_too_long",
            f"The segments of the export cannot be read in {minutes:.0f} minutes.",
            "Nothing was sent. Give the export fewer or smaller segments: several exports may share a list.",
        )
    if what == LIST:
        return DestinationError(
            "list_too_slow",
            f"Campaign Monitor did not show the list and who is on it in {minutes:.0f} minutes.",
            "Nothing was sent or removed. Run it again when the service answers faster. Only an audit, and an export "
            "that removes leavers, read who is on the list.",
        )
    return ExportError(
        "audit_too_long",
        f"What the last runs sent cannot be read in {minutes:.0f} minutes.",
        "Nothing was changed. Audit again when the storage answers faster.",
    )
