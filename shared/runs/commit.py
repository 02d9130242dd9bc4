"""What a step decided is written into the run's record, here alone, and bound to the attempt that it belongs to."""

from shared.errors import ExportError, NotQueued
from shared.parts import App
from shared.record import telemetry
from shared.record.run_record import Run
from shared.record.step_outcome import Outcome
from shared.runs.due import note_snapshots, note_time


class Superseded(Exception):
    """The run has ended, or another attempt is planning it: what this step decided is of no account any more."""


def begin_attempt(app: App, run: Run) -> Run:
    """Each planning keeps what it writes in a folder of its own, which counts as long as no other one begins."""

    def begin(newest: Run) -> Run:
        if newest.status not in ("queued", "planning"):
            raise Superseded
        number = int(newest.attempt.partition("-")[0] or "0") + 1
        started = newest.started_at or app.clock.now()
        changes = {"status": "planning", "attempt": f"{number:02}-{suffix}", "started_at": started}
        return newest.model_copy(update=changes)

    suffix = app.new_suffix()  # two that begin at once do not take each other's attempt for their own

    return app.runs.change(run.export, run.id, begin)


def commit(app: App, run: Run, outcome: Outcome) -> Run:
    """Writes what a step decided, as long as the attempt that it belongs to counts. Raises Superseded."""

    def changed(newest: Run) -> Run:
        if newest.ended or newest.attempt != run.attempt:
            raise Superseded
        return newest.model_copy(update=outcome.changes)

    run = app.runs.change(run.export, run.id, changed)
    if "snapshots" in outcome.changes and not run.dry_run:
        note_snapshots(app.state, run.export, run.snapshots)
    for reason, rows in outcome.rejected.items():
        telemetry.tell("rejected", export=run.export, run=run.id, reason=reason, rows=rows)
    try:
        for following in outcome.follow:
            app.enqueue(run, following)
    except ExportError as error:
        raise NotQueued(error.code, error.message, error.action) from error
    if run.ended:
        let_go(app, run)
    return run


def let_go(app: App, run: Run) -> None:
    """Of a run that has ended; again, where whoever ended it may have died before it let go of the export, and told."""
    if app.claims.is_held_by(run.export, run.id):
        note_answered(app, run)
        if app.claims.release(run.export, run.id):
            tell_ended(run)


def note_answered(app: App, run: Run) -> None:
    """What is due no more, whatever has become of the run, also when its record is deleted."""
    if run.snapshots and not run.dry_run:
        note_snapshots(app.state, run.export, run.snapshots)
    if run.due_at:
        note_time(app.state, run.export, run.due_at)


def tell_ended(run: Run) -> None:
    telemetry.tell(
        "run_ended",
        export=run.export,
        run=run.id,
        trigger=run.trigger,
        dry_run=run.dry_run,
        status=run.status,
        error=run.error.code if run.error else None,
        seconds=round((run.ended_at - run.created_at).total_seconds(), 1) if run.ended_at else None,
        **run.counts.model_dump(),
    )
