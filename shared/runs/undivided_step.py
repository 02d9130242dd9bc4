"""A step that is done in one invocation or not at all: planning, and the audit."""

from collections.abc import Callable

from shared.errors import DestinationError, ExportError
from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_lock import StepLock


class Stopped(Exception):
    """The run is to be stopped; whoever asked for that has queued its end."""


def list_too_slow(minutes: float) -> ExportError:
    return DestinationError(
        "list_too_slow",
        f"Campaign Monitor did not show the list and who is on it within {minutes:.0f} minutes.",
        "Nothing was sent or removed. Run it again when the service answers faster. Only an audit, and an export that "
        "removes leavers, read who is on the list.",
    )


class Undivided:
    """Whether the step may go on: it holds its lock, it is in time, and its run is not to be stopped.

    What the platform ends (functionTimeout in host.json) it begins again, for hours; so the step ends by itself before
    that, with the error that ``late`` makes of the minutes that it had: it says what took so long.
    """

    def __init__(self, app: App, run: Run, lock: StepLock) -> None:
        self.late: Callable[[float], ExportError] = list_too_slow
        self._app = app
        self._run = run
        self._lock = lock
        self._ends_at = app.clock.monotonic() + app.undivided_seconds
        self._look_at = 0.0

    def must_be_in_time(self) -> None:
        """Asks nobody, so that it may come before each call. Raises LockLost, or what ``late`` makes."""
        self._lock.check()
        if self._app.clock.monotonic() > self._ends_at:
            raise self.late(self._app.undivided_seconds / 60)

    def must_go_on(self) -> None:
        """Raises Stopped, too."""
        self.must_be_in_time()
        if self._app.clock.monotonic() < self._look_at:
            return
        if self._app.runs.get(self._run.export, self._run.id).stopping:
            raise Stopped
        self._look_at = self._app.clock.monotonic() + self._app.checkpoint_seconds
