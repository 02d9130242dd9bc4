"""Runs that do not move: whatever was lost, a machine, a message or a claim, they are taken up again."""

import logging
from datetime import timedelta

from shared.errors import ExportError, NotFound, defect
from shared.parts import App
from shared.record import telemetry
from shared.record.export_claim import Claim
from shared.record.run_record import Run
from shared.runs import worker
from shared.runs.commit import let_go
from shared.runs.final_status import answered
from shared.runs.next_steps import next_steps

MOST_RESUMPTIONS = 3
# A step at work shows a heartbeat every few seconds; a message waits its turn longer only when the app is busy.
SILENT = timedelta(minutes=5)

_log = logging.getLogger(__name__)


def sweep(app: App) -> None:
    """Takes up every run that nobody has worked on for a while, whatever was lost: a machine, a message, a claim."""
    for export in app.claims.exports():
        try:
            if claim := app.claims.held(export):
                take_up(app, export, claim)
        except Exception as error:  # whatever is wrong with one export, the others have their turn
            known = error if isinstance(error, ExportError) else defect(error)
            _log.warning("export=%s not looked after: %s", export, known, exc_info=known.__cause__)


def take_up(app: App, export: str, claim: Claim) -> None:
    """Queues again what a run that has not moved needs; fails it when that has not helped MOST_RESUMPTIONS times."""
    if app.clock.now() - claim.heartbeat < SILENT:
        return
    try:
        run = app.runs.get(export, claim.run)
    except NotFound:
        run = None
    if run is None:
        app.claims.release(export, claim.run)
        return
    if run.ended:
        let_go(app, run)
        return
    now, done = app.clock.now(), answered(app, run).done

    def count(newest: Run) -> Run:
        again = 1
        if newest.resumed_at and claim.heartbeat <= newest.resumed_at:
            again = newest.resumed  # nobody has begun: its message still waits for its turn
        elif done == newest.resumed_done:
            again = newest.resumed + 1
        changes = {"resumed": again, "resumed_done": done, "resumed_at": now}
        return newest if newest.ended else newest.model_copy(update=changes)

    run = app.runs.change(export, run.id, count)
    telemetry.tell("run_resumed", export=export, run=run.id, status=run.status, resumed=run.resumed)
    if run.resumed > MOST_RESUMPTIONS:
        # Where it is its end that does not come to an end, it is ended here: nobody is at work on it.
        worker.fail(app, run, _stuck(run), closing=run.stopping)
    else:
        for following in next_steps(app, run):
            app.enqueue(run, following)
    app.claims.heartbeat(export, run.id, now)


def _stuck(run: Run) -> ExportError:
    return ExportError(
        "run_stuck",
        f"The run stopped {MOST_RESUMPTIONS} times in a row while it was {run.status}, without getting on.",
        "Its instances die: look for exit code 137 (out of memory) in the log and at the poison queue. Then run the "
        "export again: what was confirmed is kept.",
    )
