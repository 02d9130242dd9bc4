"""A run's beginning and its cancellation: who may begin one, and when the tick does."""

import logging
from collections.abc import Iterable
from itertools import chain, islice

from shared import health, planning, schedule, sweep, telemetry
from shared.app import App
from shared.catalog import Export
from shared.errors import Changed, Conflict, ExportError, NotFound
from shared.runs import Mode, Run, Trigger, new_id
from shared.schedule import Due

_log = logging.getLogger(__name__)


def start(
    app: App,
    export_id: str,
    trigger: Trigger,
    *,
    mode: Mode | None = None,
    dry_run: bool = False,
    confirm_removals: bool = False,
    audit: bool = False,
    requested_by: str | None = None,
    key: str | None = None,
    answers: Due | None = None,
) -> tuple[Run, bool]:
    """The run that holds the export, and whether it is a new one: an export has one run at a time. With a ``key`` that
    was used within a day it is the run of then.

    Raises ConfigurationError where the export may not run, or not like this now.
    """
    export = app.catalog.export(export_id)
    app.agreed(export)
    now = app.now()
    run = Run(
        id=new_id(now),
        export=export.id,
        trigger=trigger,
        requested_by=requested_by,
        due_at=answers.due_at if answers else None,
        snapshots=answers.snapshots if answers else (),
        mode=mode or export.mode,
        dry_run=dry_run,
        confirm_removals=confirm_removals,
        audit=audit,
        created_at=now,
        parallel_slices=app.settings.parallel_slices,
    )
    if key is None:
        app.runs.create(run)
        return _begin(app, run)
    while True:
        run = run.model_copy(update={"id": app.keys.bind(run, key)})
        begun, claim = _found(app, run), app.runs.held(run.export)
        if begun and (begun.ended or (claim and claim.run == begun.id)):
            return begun, False
        try:
            if begun is None:
                app.runs.create(run)
            # A record that does not hold the export was left by somebody who died, or is about to be taken back.
            held, is_new = _begin(app, begun or run)
        except Changed:
            continue  # somebody with the same key was faster
        except Conflict:
            app.keys.free(run, key)
            raise
        if held.id != run.id and answers:
            app.keys.free(run, key)  # it is not what the other run answers
        elif held.id != run.id:
            app.keys.rebind(run, key, held.id)
        return held, is_new


def _begin(app: App, run: Run) -> tuple[Run, bool]:
    """Of a run that has its record: a claim always names one that can be looked up. Raises Conflict where the run at
    work is not what is asked for."""
    holder, is_new = app.runs.claim(run, run.created_at)
    if holder != run.id:
        app.runs.remove(run)
        claim = app.runs.held(run.export)
        if claim:
            sweep.take_up(app, run.export, claim)
        held = app.runs.get(run.export, holder)
        if run.trigger == "on-demand" and held.kind != run.kind:
            raise Conflict(
                "run_active",
                f"The export {run.export} has a run of another kind at work, {held.id}: {held.kind}.",
                "Wait for its end, or cancel it, then try again.",
            )
        return held, False
    if not is_new:
        return run, False
    app.enqueue("plan", run)
    telemetry.tell(
        "run_started", export=run.export, run=run.id, trigger=run.trigger, mode=run.mode, dry_run=run.dry_run
    )
    return run, True


def _found(app: App, run: Run) -> Run | None:
    try:
        return app.runs.get(run.export, run.id)
    except NotFound:
        return None


def _begin_orphan(app: App, newest: Run) -> None:
    """Begins the newest run of an export where whoever asked for it died, or lost its storage, before the run held its
    export."""
    if newest.status == "queued" and app.now() - newest.created_at >= sweep.SILENT:
        claim = app.runs.held(newest.export)
        if claim is None or claim.run != newest.id:
            _begin(app, newest)


def tick(app: App) -> list[Run]:
    """Looks after the runs that there are, then starts what is due. An export that cannot be looked at does not keep
    the others from their turn."""
    sweep.sweep(app)
    exports, started = 0, []
    for export in app.catalog.exports():
        exports += 1
        try:
            older = app.runs.newest(export.id)
            newest = list(islice(older, 1))
            for run in newest:
                _begin_orphan(app, run)
            due = _due(app, export, chain(newest, older))
            if due:
                run, is_new = start(app, export.id, due.trigger, key=due.key, answers=due)
                started += [run] if is_new else []
        except ExportError as error:
            _log.warning("%s was not started: %s", export.id, error, exc_info=error.__cause__)
            telemetry.tell("not_started", export=export.id, error=error.code)
    app.keys.clean(app.now())
    health.note_tick(app)
    telemetry.tell("tick", exports=exports, started=len(started))
    return started


def cancel(app: App, export_id: str, run_id: str, *, by: str | None = None) -> Run:
    """Asks the steps to stop; the run ends as cancelled when they have. A run that has ended stays as it is."""

    def request(run: Run) -> Run:
        if run.ended or run.cancel_requested:
            return run
        return run.model_copy(update={"cancel_requested": True, "cancelled_by": by})

    run = app.runs.change(export_id, run_id, request)
    if not run.ended:
        app.enqueue("finish", run)
    return run


def _due(app: App, export: Export, runs: Iterable[Run]) -> Due | None:
    """``runs`` are those of the export, the newest first."""
    if not export.enabled or export.schedule is None or export.connection is None:
        return None
    if export.schedule == "refresh":
        newest = [planning.used(one) for one in app.snapshots(export)]
        return schedule.new_snapshots(runs, newest, noted=schedule.noted(app.state, export.id))
    return schedule.due_time(export, runs, since=app.catalog.scheduled_at(export), now=app.now())
