"""A run is asked to stop."""

import logging

from shared.errors import ExportError
from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_outcome import Next

_log = logging.getLogger(__name__)


def cancel(app: App, export_id: str, run_id: str, *, by: str | None = None) -> Run:
    """The run ends as cancelled when its steps have stopped. A run that has ended stays as it is. What is written down
    holds: where its message cannot be queued, whoever is at work ends the run, or the first tick that can."""

    def request(run: Run) -> Run:
        if run.ended or run.cancel_requested:
            return run
        return run.model_copy(update={"cancel_requested": True, "cancelled_by": by})

    run = app.runs.change(export_id, run_id, request)
    if not run.ended:
        try:
            app.enqueue(run, Next("finish"))
        except ExportError as error:
            _log.warning("export=%s run=%s: its end is not queued: %s", export_id, run_id, error)
    return run
