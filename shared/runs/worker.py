"""One message of the queue: a step of a run, and what happens when it cannot go on."""

import json
import logging
from collections.abc import Generator
from contextlib import closing, suppress

from pydantic import ValidationError

from shared.errors import (
    Changed,
    ConfigurationError,
    ExportError,
    Held,
    LockLost,
    NotFound,
    NotQueued,
    TemporaryError,
    defect,
)
from shared.parts import App
from shared.record import telemetry
from shared.record.batch_results import Totals
from shared.record.blob_places import step_name
from shared.record.run_record import Problem, Run
from shared.record.step_lock import StepLock
from shared.record.step_outcome import Message, Next, Outcome
from shared.runs.audit_step import audit
from shared.runs.commit import Superseded, begin_attempt, commit, let_go
from shared.runs.final_status import answered, ended
from shared.runs.finish_step import finish
from shared.runs.next_steps import is_done, next_steps
from shared.runs.plan_step import plan
from shared.runs.send_step import send
from shared.runs.undivided_step import Stopped

MOST_DELIVERIES = 5  # maxDequeueCount in host.json
# The lock of a dead instance is free half a minute after it (LOCK_SECONDS); a look costs next to nothing. Who holds it
# for longer is alive, and has a message of its own.
HELD_LOOKS_AFTER = 5  # seconds
MOST_LOOKS = 12
GLANCES, GLANCE_SECONDS = 10, 0.1  # before it is looked at so much later

_NOT_ACKNOWLEDGED = (
    "What was confirmed could not be acknowledged: the next run offers it again, as updates. An audit shows who is on "
    "the list."
)

_log = logging.getLogger(__name__)


def work(app: App, message: bytes, delivery: int = 1) -> None:
    """One step of one run. ``delivery`` counts from 1. What is raised is delivered again; what would not be better
    the next time ends the run instead."""
    order = _order(message)
    run = _at_work(app, order)
    if run is None:
        return
    if not _has_begun(app, run):
        _look_again(app, message, order)
        return
    order = _what_is_wanted(order, run)
    begun = app.clock.monotonic()
    step = _Step(app, order, run)
    result, code = "done", None
    # What whoever did the step had no time to queue, its own message does when it is delivered again.
    again = delivery > 1 or order.again
    try:
        if not again and is_done(app, run, Next(order.step, order.slice)):
            result = "done before"
        else:
            step.take()
    except Held:
        _look_again(app, message, order, again=again)
        result = "held"
    except Stopped:
        result = "stopped"
        with suppress(Superseded, NotQueued):  # whoever asked for that may not have been able to queue its end
            commit(app, step.run, Outcome(follow=(Next("finish"),)))
    except Superseded:
        result = "superseded"
    except Exception as error:
        known = error if isinstance(error, ExportError) else defect(error)
        result, code = "raised", known.code
        if delivery < MOST_DELIVERIES and _may_pass(error):
            raise
        result = _give_up(app, step.run, known, is_end=order.step == "finish", delivery=delivery)
    finally:
        telemetry.tell(
            "step",
            export=run.export,
            run=run.id,
            step=order.step,
            slice=order.slice,
            delivery=delivery,
            outcome=result,
            error=code,
            seconds=round(app.clock.monotonic() - begun, 2),
            **step.counts,
        )


def _give_up(app: App, run: Run, error: ExportError, *, is_end: bool, delivery: int) -> str:
    """What became of it. Whoever lost the lock, and whoever could not queue what follows, decides nothing about the
    run: the sweep takes it up."""
    if error.code == "run_not_found":
        return "superseded"  # somebody took its record away, for it had not begun, or ended long ago
    if isinstance(error, LockLost | NotQueued):
        return "left"
    try:
        fail(app, run, error, closing=is_end and run.failure is not None)
    except NotQueued:
        if delivery < MOST_DELIVERIES:
            raise
    return "failed"


def fail(app: App, run: Run, error: ExportError, *, closing: bool = False) -> None:
    """Has a run that cannot go on end as failed, when all that is at work has stopped. What was confirmed is
    acknowledged, so that the next run goes on from there; where that is what fails (``closing``), it ends without."""
    _log.error("export=%s run=%s failed: %s", run.export, run.id, error, exc_info=error.__cause__)
    problem = Problem(code=error.code, message=error.message, action=error.action)
    try:
        follow = () if closing else (Next("finish"),)
        run = commit(app, run, Outcome({} if run.failure else {"failure": problem}, follow))
        if closing:
            told = (run.failure or problem).model_copy(update={"action": _NOT_ACKNOWLEDGED})
            run = commit(app, run, Outcome({"failure": told}))
            commit(app, run, _ended_anyhow(app, run))
    except (Superseded, NotFound):
        _log.warning("export=%s run=%s goes on without the step that failed", run.export, run.id)


def _order(message: bytes) -> Message:
    """Nothing of what is no order goes into the error, and so into the log: anybody may have put it into the queue."""
    try:
        return Message.model_validate_json(message)
    except ValidationError:
        raise ConfigurationError(
            "message_unknown",
            "A message of the queue is no step of a run.",
            "Look for it in the poison queue: something else writes to this queue, or a newer version of the app did.",
        ) from None


def _at_work(app: App, order: Message) -> Run | None:
    """None where nothing is to be done any more: it has ended, or its record is gone, for it never began, or ended long
    ago."""
    try:
        run = app.runs.get(order.export, order.run)
    except NotFound as error:
        _log.warning("export=%s run=%s: %s", order.export, order.run, error)
        return None
    if run.ended:
        let_go(app, run)
        return None
    return run


def _what_is_wanted(order: Message, run: Run) -> Message:
    """Of a run that is to stop whatever comes brings it to its end."""
    return order.model_copy(update={"step": "finish", "slice": None}) if run.stopping else order


def _has_begun(app: App, run: Run) -> bool:
    """Whether it holds its export: its first message may be quicker than its claim. A run that nobody takes up within
    the looks that there are was left by somebody who died."""
    for _ in range(GLANCES):
        if run.begun or app.claims.is_held_by(run.export, run.id):
            return True
        app.clock.sleep(GLANCE_SECONDS)
        with suppress(NotFound):  # then nobody holds the export with it
            run = app.runs.get(run.export, run.id)
    return False


def _look_again(app: App, message: bytes, order: Message, *, again: bool = False) -> None:
    """With all that a newer version has said in it."""
    if order.looks < MOST_LOOKS:
        more = {"looks": order.looks + 1} | ({"again": True} if again else {})
        app.queue.put(json.dumps(json.loads(message) | more), delay=HELD_LOOKS_AFTER)


def _may_pass(error: Exception) -> bool:
    """Whether the next delivery may have better luck."""
    return isinstance(error, TemporaryError | Changed | LockLost) or not isinstance(error, ExportError)


class _Step:
    """One delivery of one message. ``run`` is as it was last committed, ``counts`` what the step counted so far."""

    def __init__(self, app: App, order: Message, run: Run) -> None:
        self._app = app
        self._order = order
        self.run = run
        self.counts: dict[str, int] = {}

    def take(self) -> None:
        app, order = self._app, self._order
        with app.locked(self.run, step_name(order.step, order.slice)) as lock:
            # Read again: the run may have gone on before the lock was ours.
            self.run = app.runs.get(self.run.export, self.run.id)
            if order.step == "plan" and self.run.status in ("queued", "planning") and not self.run.stopping:
                self.run = begin_attempt(app, self.run)
            with closing(_decide(app, order, self.run, lock)) as outcomes:
                for outcome in outcomes:
                    self.run = commit(app, self.run, outcome)
                    self.counts |= outcome.counts


def _decide(app: App, order: Message, run: Run, lock: StepLock) -> Generator[Outcome]:
    if run.ended:
        return
    if order.step == "finish":
        yield from finish(app, run, lock)
    elif run.stopping:
        yield Outcome(follow=(Next("finish"),))
    elif order.step == "send" and order.slice is not None:
        yield from send(app, run, order.slice, lock)
    elif run.status != "planning":
        # Delivered again: an instance may have died after the plan and before it queued all that comes next.
        yield Outcome(follow=next_steps(app, run))
    else:
        yield from (audit if run.audit else plan)(app, run, lock)


def _ended_anyhow(app: App, run: Run) -> Outcome:
    """An account that does not balance must not keep the run from its end: then nothing counts as answered."""
    try:
        return ended(app, run, answered(app, run))
    except AssertionError:
        return ended(app, run, Totals())
