"""The last step of a run: what was confirmed is acknowledged, and the account is closed."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.errors import Changed, SliceMissing
from shared.parts import App
from shared.ports.compare_and_swap import replace
from shared.record import acknowledged
from shared.record.batch_results import Totals
from shared.record.blob_places import already_listed_name
from shared.record.run_record import Run
from shared.record.step_lock import StepLock
from shared.record.step_outcome import Next, Outcome
from shared.runs.final_status import ended
from shared.runs.next_steps import open_slices
from shared.runs.send_step import read_planned
from shared.send.merge_acknowledged import Confirmation

_log = logging.getLogger(__name__)

LOOKS_AFTER = 2  # seconds, whether the steps that were at work have stopped
GLANCES, GLANCE_SECONDS = 6, 0.1  # before it is looked at so much later


def finish(app: App, run: Run, lock: StepLock) -> Iterator[Outcome]:
    """When all is sent, or when all that was at work has stopped."""
    is_sent = run.status == "finishing" or (run.status == "sending" and not open_slices(app, run))
    if not run.stopping and not is_sent:
        return
    if run.status != "finishing":
        if _is_at_work(app, run):
            yield Outcome(follow=(Next("finish", delay=LOOKS_AFTER),))
            return
        run = _as_it_was_left(app, run)
    if run.status == "sending" and not run.stopping:
        yield Outcome({"status": "finishing", "sent_at": app.clock.now()})
    if run.slices and not run.dry_run:
        totals, rejected = _confirm(app, run, lock)
        yield ended(app, run, totals, rejected=rejected)
    else:
        yield ended(app, run, Totals())


def _is_at_work(app: App, run: Run) -> bool:
    """Whether anything is still on its way. Also a slice that is done may be at work: whoever lost its lock has saved
    the last answer, and somebody else is sending the same batch. Who just finished it lets go in a moment."""
    for _ in range(GLANCES):
        if not app.is_at_work(run, besides="finish"):
            return False
        app.clock.sleep(GLANCE_SECONDS)
    return True


def _as_it_was_left(app: App, run: Run) -> Run:
    """Read again: whoever planned it may have written that down before they let go. Raises Changed where another
    planning has begun since."""
    newest = app.runs.get(run.export, run.id)
    if newest.attempt != run.attempt:
        raise Changed(f"the run {run.id}")
    return newest


def _confirm(app: App, run: Run, lock: StepLock) -> tuple[Totals, Mapping[str, int]]:
    """Writes what Campaign Monitor confirmed and what it refused."""
    name, rejects = acknowledged.name(run.export, run.list_id), app.rejects(run)
    results, rejects_before = app.results(run), rejects.etag
    totals = Totals()
    with app.workspace() as work:
        confirmation = Confirmation(
            work,
            batch_rows=app.sizes.batch,
            list_was_read=run.removals != "keep",
            there_before=_there_before(app, run, work.folder),
        )
        for number, _ in results.totals():
            result = results.get(number)
            if result is None:
                continue
            totals += result.totals
            if planned := _planned(app, run, number):
                add = confirmation.add if number < run.import_slices else confirmation.add_leavers
                add(planned, result)
        before = work.folder / "before.parquet"
        etag = app.state.download(name, before)
        merged = confirmation.merge(before if etag else None)
        lock.check()
        with merged.open("rb") as file:
            replace(app.state, name, file, etag)
        return totals, rejects.write("r", confirmation.rejects(run), after="p", replaces=rejects_before)


def _planned(app: App, run: Run, number: int) -> bytes | None:
    """The slice; None where it is gone, and the run has failed: all others are acknowledged."""
    try:
        return read_planned(app, run, number)
    except SliceMissing as error:
        if run.failure is None:
            raise
        _log.warning("export=%s run=%s: %s", run.export, run.id, error)
        return None


def _there_before(app: App, run: Run, folder: Path) -> Path | None:
    file = folder / "there-before.parquet"
    return file if app.state.download(already_listed_name(run), file) else None
