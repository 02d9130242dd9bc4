"""What happens next in a run, in one table.

    the run is           and                                    so there follow
    ------------------   ------------------------------------   ----------------------------------------------
    queued, planning                                            plan
    sending              is to stop, or no slice is open        finish
    sending              slices of subscribers are open         of each chain the first that is
    sending              only slices of leavers are open        of each chain the first that is
    finishing                                                   finish
    ended                                                       nothing

A chain is every ``parallel_slices``-th slice: a slice that is done queues the next one of its chain, so that no more
are at work at once.

What is queued too often does no harm. A step that is at work is left alone; so is one that is done when its message
comes for the first time, since whoever did it has queued what follows, or has its own message delivered again. A
message that is delivered again does queue it: its worker may have died between what it wrote down and that.
"""

from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_outcome import Next


def next_steps(app: App, run: Run) -> tuple[Next, ...]:
    """Whatever the run needs to go on."""
    if run.ended:
        return ()
    if run.status in ("queued", "planning"):
        return (Next("plan"),)
    if run.status == "sending" and not run.stopping and (due := due_slices(app, run)):
        chains = {number % run.parallel_slices: number for number in reversed(due)}
        return tuple(Next("send", number) for number in sorted(chains.values()))
    return (Next("finish"),)


def after_slice(app: App, run: Run, number: int, *, complete: bool) -> tuple[Next, ...]:
    """What follows the slice, or the part of it that was sent."""
    if not complete:
        return (Next("send", number),)
    following = number + run.parallel_slices
    is_import = number < run.import_slices
    if following < (run.import_slices if is_import else run.slices):
        return (Next("send", following),)
    due = due_slices(app, run)
    if not due or (is_import and due[0] >= run.import_slices):
        return next_steps(app, run)
    return ()  # the other chains are at work


def is_done(app: App, run: Run, step: Next) -> bool:
    """Whether somebody has done the step. Of a run that is to stop none is: whatever comes brings it to its end."""
    if run.stopping or step.step == "finish":
        return False
    if step.step == "send" and step.slice is not None:
        return run.status != "sending" or app.results(run).totals_of(step.slice).complete
    return run.status not in ("queued", "planning")


def open_slices(app: App, run: Run) -> list[int]:
    """The slices that are not done, in order."""
    # Totals are metadata; a copy of the storage may have lost them.
    done = {number for number, one in app.results(run).totals() if one.complete}
    return [number for number in range(run.slices) if number not in done]


def due_slices(app: App, run: Run) -> list[int]:
    """The open slices that may be worked on: those of leavers only when all others are done."""
    waiting = open_slices(app, run)
    return [number for number in waiting if number < run.import_slices] or waiting
