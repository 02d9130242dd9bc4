"""How a run ends: with which status, and what its account then is."""

from collections.abc import Mapping

from shared.parts import App
from shared.record.batch_results import Totals
from shared.record.run_account import counted
from shared.record.run_record import Run, Status
from shared.record.step_outcome import Outcome


def ended(app: App, run: Run, totals: Totals, *, rejected: Mapping[str, int] | None = None) -> Outcome:
    """``totals`` are those of all that was answered."""
    closed = counted(run, totals)
    problem = run.failure or (None if run.cancel_requested else run.guarded)
    status: Status = "completed_with_rejects" if closed.counts.turned_down else "succeeded"
    if run.cancel_requested:
        status = "cancelled"
    if problem:
        status = "failed"
    changes = {
        "status": status,
        "counts": closed.counts,
        "progress": closed.progress,
        "error": problem,
        "ended_at": app.clock.now(),
    }
    return Outcome(changes, rejected=rejected or {})


def answered(app: App, run: Run) -> Totals:
    """What all slices have come to so far."""
    return sum((one for _, one in app.results(run).totals()), Totals())


def as_of_now(app: App, run: Run) -> Run:
    """The run with its account and its progress."""
    return run if run.ended or not run.slices else counted(run, answered(app, run))
