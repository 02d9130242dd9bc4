"""A run is asked to stop."""

from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_outcome import Next


def cancel(app: App, export_id: str, run_id: str, *, by: str | None = None) -> Run:
    """The run ends as cancelled when its steps have stopped. A run that has ended stays as it is."""

    def request(run: Run) -> Run:
        if run.ended or run.cancel_requested:
            return run
        return run.model_copy(update={"cancel_requested": True, "cancelled_by": by})

    run = app.runs.change(export_id, run_id, request)
    if not run.ended:
        app.enqueue(run, Next("finish"))
    return run
