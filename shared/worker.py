"""One message of the queue: a step of a run, and what happens when it cannot go on."""

import logging
import time

from pydantic import ValidationError

from shared import audit as auditing
from shared import planning, steps, telemetry
from shared.app import App, Work
from shared.errors import Changed, ConfigurationError, ExportError, Held, TemporaryError
from shared.results import Totals
from shared.runs import Problem, Run

MOST_DELIVERIES = 5  # maxDequeueCount in host.json
# The lock of a dead instance is free half a minute after it (storage.LOCK_SECONDS); a look costs next to nothing.
HELD_LOOKS_AFTER = 5  # seconds

_log = logging.getLogger(__name__)


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
        fail(app, run, known, closing=order.step == "finish")
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


def fail(app: App, run: Run, error: ExportError, *, closing: bool = False) -> None:
    """Has a run that cannot go on end as failed, when all that is at work has stopped. What was confirmed is
    acknowledged, so that the next run goes on from there; where that is what fails (``closing``), it ends without."""
    _log.error("export=%s run=%s failed: %s", run.export, run.id, error, exc_info=error.__cause__)
    problem = Problem(code=error.code, message=error.message, action=error.action)

    def request(newest: Run) -> Run:
        return newest if newest.ended or newest.failure else newest.model_copy(update={"failure": problem})

    run = app.runs.change(run.export, run.id, request)
    if closing:
        steps.close(app, run, sum((one for _, one in app.results(run).totals()), Totals()))
    elif not run.ended:
        app.enqueue("finish", run)


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


def _defect(run: Run, cause: Exception) -> ExportError:
    error = ExportError(
        "internal",
        "The run met something that nobody thought of.",
        f"Nothing is lost. Report it with the id of the run, {run.id}: the log holds the cause.",
    )
    error.__cause__ = cause
    return error
