"""Runs that do not move: whatever was lost, a machine, a message or a claim, they are taken up again.

A run is silent for one of three reasons, and nobody can see which: its message is lost, its message waits in a queue
that is long, or whoever was at work has died, and has nobody who comes back for it. For each a new message does. What
it costs where the old one only waits is one look, since whichever comes second finds its work done. What tells the
last reason from the others is a heartbeat since the run was last taken up, and nothing that got on: that is counted.
"""

import logging
from datetime import timedelta

from shared.errors import ExportError, NotFound, defect
from shared.parts import App
from shared.record import telemetry
from shared.record.export_claim import Claim
from shared.record.run_record import Run, Status
from shared.runs import worker
from shared.runs.commit import let_go
from shared.runs.final_status import answered
from shared.runs.next_steps import next_steps

MOST_RESUMPTIONS = 3
# A step at work shows a heartbeat every few seconds; a message waits its turn longer only when the app is busy.
SILENT = timedelta(minutes=5)
# As long as a run that was taken up gets on, or nobody has begun since, its messages wait for their turn; or they are
# lost again. That is waited for as long again as the run had been silent by then, within these bounds.
PATIENCE = timedelta(hours=1)
MOST_PATIENCE = timedelta(hours=2)

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
            telemetry.tell("not_started", export=export, error=known.code)


def take_up(app: App, export: str, claim: Claim) -> None:
    """Queues again what a run that has not moved needs; fails it when somebody has begun after each of
    MOST_RESUMPTIONS times, and nobody got on."""
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
    begun = _begun(run, claim)
    got_on = (done, _phase(run)) != (run.resumed_done, run.resumed_status or _phase(run))
    # Whether its end was queued, when it was asked to stop, nobody knows.
    stops_since = run.stopping and run.resumed_status != "finishing"
    is_on_its_way = (got_on or not begun) and not stops_since
    if run.resumed_at and is_on_its_way and now - run.resumed_at < _patience(run.resumed_at - claim.heartbeat):
        return
    resumed = 1 if got_on or not run.resumed else run.resumed + begun
    is_stuck = begun and resumed > MOST_RESUMPTIONS
    telemetry.tell("run_resumed", export=export, run=run.id, status=run.status, resumed=resumed)
    # Before it is written down: where this process dies in between, the next sweep does it once more.
    if is_stuck:
        # Where it is its end that does not come to an end, it is ended here: nobody is at work on it.
        worker.fail(app, run, _stuck(run), closing=run.stopping)
    else:
        for following in next_steps(app, run):
            app.enqueue(run, following)
    changes = {
        # The end of a run that is stuck is looked after as that of any other.
        "resumed": 0 if is_stuck else resumed,
        "resumed_done": done,
        "resumed_status": "finishing" if is_stuck else _phase(run),
        "resumed_heartbeat": claim.heartbeat,
        "resumed_at": now,
    }
    app.runs.change(export, run.id, lambda newest: newest if newest.ended else newest.model_copy(update=changes))


def _begun(run: Run, claim: Claim) -> bool:
    """Whether anybody has been at work since the run was last taken up. Heartbeats are compared with each other alone:
    the clocks of two machines are not the same. An older version let the heart beat itself when it took a run up."""
    return claim.heartbeat not in (run.resumed_heartbeat, run.resumed_at)


def _phase(run: Run) -> Status:
    """A planning that has begun has not got on yet: it begins anew each time. Of a run that is to stop the end is what
    is waited for, whatever else comes meanwhile."""
    if run.stopping:
        return "finishing"
    return "planning" if run.status == "queued" else run.status


def _patience(silent: timedelta) -> timedelta:
    return min(max(silent, PATIENCE), MOST_PATIENCE)


def _stuck(run: Run) -> ExportError:
    return ExportError(
        "run_stuck",
        f"The run stopped {MOST_RESUMPTIONS} times in a row while it was {run.status}, without getting on.",
        "What ended it stands in the log at the time of its steps. Exit code 137: a process took more memory than "
        "there is; give the instances more, or the export fewer profiles. Timeout value exceeded: a step took longer "
        "than an invocation may; report that. Then run the export again: what was confirmed is kept.",
    )
