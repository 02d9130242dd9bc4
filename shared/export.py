"""A run from its start to its end: who may begin one, and what happens when a step cannot go on."""

import logging
import time
from datetime import timedelta

from pydantic import ValidationError

from shared import audit as auditing
from shared import health, planning, schedule, steps, telemetry
from shared.app import App, Work
from shared.catalog import Export
from shared.errors import Changed, ConfigurationError, Conflict, ExportError, Held, NotFound, TemporaryError
from shared.results import Totals
from shared.runs import Claim, Mode, Problem, Run, Trigger, new_id
from shared.schedule import Due

MOST_DELIVERIES = 5  # maxDequeueCount in host.json
MOST_RESUMPTIONS = 3
# A step at work shows a heartbeat every few seconds; a message waits its turn longer only when the app is busy.
SILENT = timedelta(minutes=5)
# The lock of a dead instance is free half a minute after it (storage.LOCK_SECONDS); a look costs next to nothing.
HELD_LOOKS_AFTER = 5  # seconds

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
        return _begin(app, run)
    while True:
        run = run.model_copy(update={"id": app.keys.bind(run, key)})
        try:
            return app.runs.get(run.export, run.id), False
        except NotFound:
            try:
                held, is_new = _begin(app, run)
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
    """Raises Changed where there is a run of this id, Conflict where the one at work is not what is asked for."""
    # The record comes first: a claim always names a run that can be looked up.
    app.runs.create(run)
    holder = app.runs.claim(run, run.created_at)
    if holder != run.id:
        app.runs.remove(run)
        claim = app.runs.held(run.export)
        if claim:
            _take_up(app, run.export, claim)
        held = app.runs.get(run.export, holder)
        if run.trigger == "on-demand" and held.kind != run.kind:
            raise Conflict(
                "run_active",
                f"The export {run.export} has a run of another kind at work, {held.id}: {held.kind}.",
                "Wait for its end, or cancel it, then try again.",
            )
        return held, False
    app.enqueue("plan", run)
    telemetry.tell(
        "run_started", export=run.export, run=run.id, trigger=run.trigger, mode=run.mode, dry_run=run.dry_run
    )
    return run, True


def tick(app: App) -> list[Run]:
    """Looks after the runs that there are, then starts what is due. An export that cannot be looked at does not keep
    the others from their turn."""
    sweep(app)
    exports, started = 0, []
    for export in app.catalog.exports():
        exports += 1
        try:
            due = _due(app, export)
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


def sweep(app: App) -> None:
    """Takes up every run that nobody has worked on for a while, whatever was lost: a machine, a message, a claim."""
    for export, claim in app.runs.claims():
        try:
            _take_up(app, export, claim)
        except ExportError as error:
            _log.warning("export=%s run=%s not looked after: %s", export, claim.run, error)


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


def view(app: App, run: Run) -> Run:
    """The run with its account and its progress as of now."""
    if run.ended or not run.slices:
        return run
    return steps.counted(run, sum((one for _, one in app.results(run).totals()), Totals()))


def work(app: App, message: bytes, delivery: int = 1) -> None:
    """One step of one run. ``delivery`` counts from 1. What is raised is delivered again; what would not be better
    the next time ends the run instead."""
    order = _order(message)
    run = app.runs.get(order.export, order.run)
    if run.ended:
        return
    begun = time.monotonic()
    outcome, code, counts = "done", None, {}
    try:
        counts = _step(app, order, run)
    except Held:
        # At work elsewhere, or the lock of a dead instance: it will be seen.
        app.enqueue(order.step, run, order.slice, delay=HELD_LOOKS_AFTER)
        outcome = "held"
    except planning.Stopped:
        outcome = "stopped"
    except Exception as error:
        known = error if isinstance(error, ExportError) else _defect(run, error)
        outcome, code = "raised", known.code
        if delivery < MOST_DELIVERIES and _may_pass(error):
            raise
        outcome = "failed"
        _fail(app, order, run, known)
    finally:
        telemetry.tell(
            "step",
            export=run.export,
            run=run.id,
            step=order.step,
            slice=order.slice,
            delivery=delivery,
            outcome=outcome,
            error=code,
            seconds=round(time.monotonic() - begun, 2),
            **counts,
        )


def _order(message: bytes) -> Work:
    """Nothing of what is no order goes into the error, and so into the log: anybody may have put it into the queue."""
    try:
        return Work.model_validate_json(message)
    except ValidationError:
        raise ConfigurationError(
            "message_unknown",
            "A message of the queue is no step of a run.",
            "Look for it in the poison queue: something else writes to this queue, or a newer version of the app did.",
        ) from None


def _may_pass(error: Exception) -> bool:
    """Whether the next delivery may have better luck."""
    return isinstance(error, TemporaryError | Changed) or not isinstance(error, ExportError)


def _step(app: App, order: Work, run: Run) -> dict[str, int]:
    """Returns what the step counted."""
    what = order.step if order.slice is None else steps.slice_lock(order.slice)
    with app.locked(run, what) as lock:
        # Read again: the run may have gone on before the lock was ours.
        run = app.runs.get(run.export, run.id)
        if run.ended:
            return {}
        if run.stopping and order.step != "finish":
            app.enqueue("finish", run)
        elif order.step == "plan":
            return auditing.audit(app, run, lock) if run.audit else planning.plan(app, run, lock)
        elif order.step == "send" and order.slice is not None:
            return steps.send(app, run, order.slice, lock)
        elif order.step == "finish":
            steps.finish(app, run, lock)
    return {}


def _fail(app: App, order: Work, run: Run, error: ExportError) -> None:
    """Has a run that cannot go on end as failed, when all that is at work has stopped. What was confirmed is
    acknowledged, so that the next run goes on from there; where that is what fails, the run ends without."""
    _log.error("export=%s run=%s failed: %s", run.export, run.id, error, exc_info=error.__cause__)
    problem = Problem(code=error.code, message=error.message, action=error.action)

    def request(newest: Run) -> Run:
        return newest if newest.ended or newest.failure else newest.model_copy(update={"failure": problem})

    run = app.runs.change(run.export, run.id, request)
    if order.step == "finish":
        steps.close(app, run, sum((one for _, one in app.results(run).totals()), Totals()))
    elif not run.ended:
        app.enqueue("finish", run)


def _take_up(app: App, export: str, claim: Claim) -> None:
    """Queues again what a run that has not moved needs; fails it when that has not helped MOST_RESUMPTIONS times."""
    if app.now() - claim.heartbeat < SILENT:
        return
    try:
        run = view(app, app.runs.get(export, claim.run))
    except NotFound:
        run = None
    if run is None or run.ended:
        app.runs.release(export, claim.run)
        return
    now, done = app.now(), run.progress.done

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
    if run.resumed > MOST_RESUMPTIONS and not run.stopping:
        _fail(app, Work(step="send", export=export, run=run.id), run, _stuck(run))
    else:
        steps.enqueue_next(app, run)
    app.runs.heartbeat(run, now)


def _stuck(run: Run) -> ExportError:
    return ExportError(
        "run_stuck",
        f"The run stopped {MOST_RESUMPTIONS} times in a row while it was {run.status}, without getting on.",
        "Its instances die: look for exit code 137 (out of memory) in the log and at the poison queue. Then run the "
        "export again: what was confirmed is kept.",
    )


def _defect(run: Run, cause: Exception) -> ExportError:
    error = ExportError(
        "internal",
        "The run met something that nobody thought of.",
        f"Nothing is lost. Report it with the id of the run, {run.id}: the log holds the cause.",
    )
    error.__cause__ = cause
    return error


def _due(app: App, export: Export) -> Due | None:
    if not export.enabled or export.schedule is None or export.connection is None:
        return None
    runs = app.runs.newest(export.id)
    if export.schedule == "refresh":
        return schedule.new_snapshots(runs, [planning.used(one) for one in app.snapshots(export)])
    return schedule.due_time(export, runs, since=app.catalog.scheduled_at(export), now=app.now())
