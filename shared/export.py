"""A run from its start to its end: who may begin one, and what happens when a step cannot go on."""

import logging
import time

from shared import schedule, steps
from shared.app import App, Work
from shared.catalog import Export, parse
from shared.errors import Changed, ExportError, TemporaryError
from shared.results import Totals
from shared.runs import Mode, Problem, Run, Trigger, new_id

MOST_DELIVERIES = 5  # maxDequeueCount in host.json

_log = logging.getLogger(__name__)


def start(
    app: App, export_id: str, trigger: Trigger, *, mode: Mode | None = None, dry_run: bool = False
) -> tuple[Run, bool]:
    """The run that holds the export, and whether it is a new one: an export has one run at a time.

    Raises ConfigurationError where the export may not run.
    """
    export = app.catalog.export(export_id)
    app.agreed(export)
    now = app.now()
    run = Run(
        id=new_id(now),
        export=export.id,
        trigger=trigger,
        mode=mode or export.mode,
        dry_run=dry_run,
        created_at=now,
        parallel_slices=app.settings.parallel_slices,
    )
    # The record comes first: a claim always names a run that can be looked up.
    app.runs.create(run)
    holder = app.runs.claim(run, now)
    if holder != run.id:
        app.runs.remove(run)
        return app.runs.get(export.id, holder), False
    app.enqueue("plan", run)
    return run, True


def tick(app: App) -> list[Run]:
    """Starts what is due. An export that cannot be looked at does not keep the others from their turn."""
    started = []
    for export in app.catalog.exports():
        try:
            trigger = _due(app, export)
            if trigger:
                run, is_new = start(app, export.id, trigger)
                started += [run] if is_new else []
        except ExportError as error:
            _log.warning("export=%s not started: %s", export.id, error)
    return started


def cancel(app: App, export_id: str, run_id: str) -> Run:
    """Asks the steps to stop; the run ends as cancelled when they have. A run that has ended stays as it is."""

    def request(run: Run) -> Run:
        return run if run.ended else run.model_copy(update={"cancel_requested": True})

    run = app.runs.change(export_id, run_id, request)
    if not run.ended:
        # Behind the steps that are at work: they look whether to stop every few seconds.
        app.enqueue("finish", run, delay=2 * steps.LOOKS_EVERY_SECONDS)
    return run


def view(app: App, run: Run) -> Run:
    """The run with its account and its progress as of now."""
    if run.status != "sending":
        return run
    return steps.counted(run, sum((one for _, one in app.results(run).totals()), Totals()))


def work(app: App, message: bytes, delivery: int = 1) -> None:
    """One step of one run. ``delivery`` counts from 1. What is raised is delivered again; what would not be better
    the next time ends the run instead."""
    order = parse(Work, message, "The message")
    run = app.runs.get(order.export, order.run)
    if run.ended:
        return
    begun = time.monotonic()
    try:
        app.runs.heartbeat(run, app.now())
        _step(app, order, run)
    except (TemporaryError, Changed) as error:
        if delivery < MOST_DELIVERIES:
            raise
        _fail(app, run, error)
    except ExportError as error:
        _fail(app, run, error)
    except Exception as error:
        if delivery < MOST_DELIVERIES:
            raise
        _fail(app, run, _defect(run, error))
    finally:
        seconds = time.monotonic() - begun
        _log.info(
            "export=%s run=%s step=%s slice=%s seconds=%.1f", run.export, run.id, order.step, order.slice, seconds
        )


def _step(app: App, order: Work, run: Run) -> None:
    if order.step == "plan":
        steps.plan(app, run)
    elif order.step == "send" and order.slice is not None:
        steps.send(app, run, order.slice)
    elif order.step == "finish":
        steps.finish(app, run)


def _fail(app: App, run: Run, error: ExportError) -> None:
    """Ends a run that cannot go on. What was confirmed is acknowledged, so that the next run goes on from there."""
    _log.error("export=%s run=%s failed: %s", run.export, run.id, error, exc_info=error.__cause__)
    newest = app.runs.get(run.export, run.id)
    if not newest.ended:
        steps.finish(app, newest, Problem(code=error.code, message=error.message, action=error.action))


def _defect(run: Run, cause: Exception) -> ExportError:
    error = ExportError(
        "internal",
        "The run met something that nobody thought of.",
        f"Nothing is lost. Report it with the id of the run, {run.id}: the log holds the cause.",
    )
    error.__cause__ = cause
    return error


def _due(app: App, export: Export) -> Trigger | None:
    if not export.enabled or export.schedule is None:
        return None
    last = next((run for run in app.runs.newest(export.id) if not run.dry_run), None)
    newest = [steps.used(one) for one in app.snapshots(export)] if export.schedule == "refresh" else []
    return schedule.due(export, last, newest, saved_at=app.catalog.saved_at(export), now=app.now())
