"""The steps after planning, each for one message of the queue, and how a run goes from one to the next."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from shared import acknowledged, telemetry
from shared import send as sending
from shared.app import App
from shared.campaign_monitor import CampaignMonitor
from shared.catalog import Export
from shared.database import workspace
from shared.errors import Conflict, ExportError
from shared.finish import Finish
from shared.results import SliceResult, Totals
from shared.runs import Progress, Run, Status
from shared.slices import read_leavers, read_slice
from shared.storage import Lock
from shared.take_off import take_off

FINISH_LOOKS_AFTER = 2  # seconds, whether the steps that were at work have stopped


def send(app: App, run: Run, number: int, lock: Lock) -> dict[str, int]:
    """One slice to Campaign Monitor; then the next one is queued, or the end of the run. Returns what the calls came
    to."""
    if run.status != "sending" or number >= run.slices:
        return {}
    is_import = number < run.import_slices
    if not is_import and any(slice_ < run.import_slices for slice_ in _open_slices(app, run)):
        return {}  # nobody is removed before everybody else is sent
    export = app.catalog.export(run.export)
    deadline = time.monotonic() + app.invocation_seconds

    def stop() -> bool:
        lock.check()
        newest = app.runs.get(run.export, run.id)
        return newest.stopping or newest.ended or time.monotonic() > deadline

    with closing(app.client(app.agreed(export), app.settings.upload_concurrency)) as client:
        deliver = _import if is_import else _take_off
        saved = deliver(app, run, export, number, client, stop)
        load = client.load()
    run = app.runs.get(run.export, run.id)
    if run.stopping:
        app.enqueue("finish", run)
    elif not saved.complete:
        app.enqueue("send", run, number)
    elif number + run.parallel_slices < (run.import_slices if is_import else run.slices):
        app.enqueue("send", run, number + run.parallel_slices)
    elif not (due := _due(app, run)):
        app.enqueue("finish", run)
    elif is_import and due[0] >= run.import_slices:
        enqueue_next(app, run)
    return saved.totals.__dict__ | load


def _import(
    app: App, run: Run, export: Export, number: int, client: CampaignMonitor, stop: Callable[[], bool]
) -> SliceResult:
    with workspace() as work:
        slice_ = read_slice(work, _slice(app, run, number))
    return sending.send(
        slice_,
        number,
        app.results(run),
        client,
        list_id=run.list_id,
        resubscribe=export.resubscribe,
        concurrency=app.settings.upload_concurrency,
        checkpoint_seconds=app.checkpoint_seconds,
        stop=stop,
    )


def _take_off(
    app: App, run: Run, export: Export, number: int, client: CampaignMonitor, stop: Callable[[], bool]
) -> SliceResult:
    if run.removals == "keep" or (export.removals, export.list_id) != (run.removals, run.list_id):
        raise Conflict(
            "export_changed",
            "The export was changed after the run had planned whom to remove, so it removes nobody else.",
            "Run the export again: it goes by what is saved now.",
            field="removals",
        )
    with workspace() as work:
        leavers = read_leavers(work, _slice(app, run, number))
    return take_off(
        leavers,
        number,
        app.results(run),
        client,
        how=run.removals,
        list_id=run.list_id,
        concurrency=app.settings.upload_concurrency,
        checkpoint_seconds=app.checkpoint_seconds,
        stop=stop,
    )


def finish(app: App, run: Run, lock: Lock) -> None:
    """Acknowledges and closes the account, when all is sent, or when all that was at work has stopped."""
    open_slices = _open_slices(app, run) if run.status == "sending" else []
    if run.stopping:
        at_work = ["plan", *(slice_lock(number) for number in open_slices)]
        if any(app.is_locked(run, what) for what in at_work):
            app.enqueue("finish", run, delay=FINISH_LOOKS_AFTER)
            return
    elif open_slices or run.status in ("queued", "planning"):
        return
    elif run.status == "sending":
        run = change(app, run, status="finishing", sent_at=app.now())
    totals = _confirm(app, run, lock) if run.slices and not run.dry_run else Totals()
    close(app, run, totals)


def close(app: App, run: Run, totals: Totals) -> None:
    """Ends the run, and lets go of the export."""
    closed = counted(run, totals)
    problem = run.failure or (None if run.cancel_requested else run.guarded)
    status: Status = "completed_with_rejects" if closed.counts.turned_down else "succeeded"
    if run.cancel_requested:
        status = "cancelled"
    if problem:
        status = "failed"
    run = change(
        app,
        run,
        status=status,
        counts=closed.counts,
        progress=closed.progress,
        error=problem,
        ended_at=app.now(),
    )
    app.runs.release(run.export, run.id)
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


def enqueue_next(app: App, run: Run) -> None:
    """Queues what the run needs to go on: too much does no harm, since a step that is done or at work is left alone."""
    if run.status in ("queued", "planning"):
        app.enqueue("plan", run)
    elif run.status == "sending" and not run.stopping and (due := _due(app, run)):
        # One chain of slices each: a finished slice queues the one that is parallel_slices further.
        chains = {number % run.parallel_slices: number for number in reversed(due)}
        for number in sorted(chains.values()):
            app.enqueue("send", run, number)
    elif not run.ended:
        app.enqueue("finish", run)


def slice_lock(number: int) -> str:
    return f"slice-{number:05}"


def view(app: App, run: Run) -> Run:
    """The run with its account and its progress as of now."""
    if run.ended or not run.slices:
        return run
    return counted(run, sum((one for _, one in app.results(run).totals()), Totals()))


def counted(run: Run, totals: Totals) -> Run:
    """The run with what its batches have come to. What has no answer is unsent, so that the account balances."""
    answered = totals.added + totals.updated + totals.refused
    counts = run.counts.model_copy(
        update={
            "added": totals.added,
            "updated": totals.updated,
            "refused": totals.refused,
            "unsent": run.counts.to_send - answered,
            "removed": totals.removed,
            "not_removed": totals.not_removed,
        }
    )
    progress = Progress(batches=run.progress.batches, done=totals.done)
    return run.model_copy(update={"counts": counts, "progress": progress})


def _confirm(app: App, run: Run, lock: Lock) -> Totals:
    """Writes what Campaign Monitor confirmed and what it refused."""
    name = acknowledged.name(run.export, run.list_id)
    results = app.results(run)
    totals = Totals()
    with workspace() as work:
        finished = Finish(work, list_was_read=run.removals != "keep", there_before=_there_before(app, run, work.folder))
        for number, _ in results.totals():
            result = results.get(number)
            if result:
                add = finished.add if number < run.import_slices else finished.add_leavers
                add(_slice(app, run, number), result)
                totals += result.totals
        before = work.folder / "before.parquet"
        etag = app.state.download(name, before)
        merged = finished.merge(before if etag else None)
        lock.check()
        with merged.open("rb") as file:
            app.state.write(name, file, replaces=etag, new=etag is None)
        tell_rejected(run, app.rejects(run).write("r", finished.rejects(run), after="p"))
    return totals


def tell_rejected(run: Run, reasons: Mapping[str, int]) -> None:
    for reason, rows in reasons.items():
        telemetry.tell("rejected", export=run.export, run=run.id, reason=reason, rows=rows)


def _open_slices(app: App, run: Run) -> list[int]:
    """The slices that are not done, in order."""
    done = {number for number, one in app.results(run).totals() if one.done == one.batches}
    return [number for number in range(run.slices) if number not in done]


def _due(app: App, run: Run) -> list[int]:
    """The open slices that may be worked on: those of leavers only when all others are done."""
    open_slices = _open_slices(app, run)
    return [number for number in open_slices if number < run.import_slices] or open_slices


def _slice(app: App, run: Run, number: int) -> bytes:
    name = slice_name(app, run, number)
    blob = app.state.read(name)
    if blob is None:
        raise ExportError(
            "slice_missing",
            f"{name} is gone, so what it held cannot be sent.",
            "Somebody deleted it, or a lifecycle rule did. Run the export again: what was confirmed is kept.",
        )
    return blob.data


def slice_name(app: App, run: Run, number: int) -> str:
    return f"{app.runs.folder(run)}/slices/{number:05}.parquet"


def there_before_name(app: App, run: Run) -> str:
    return f"{app.runs.folder(run)}/slices/there-before.parquet"


def _there_before(app: App, run: Run, folder: Path) -> Path | None:
    file = folder / "there-before.parquet"
    return file if app.state.download(there_before_name(app, run), file) else None


def change(app: App, run: Run, **changes: object) -> Run:
    """Writes a change of the run, unless it has ended in the meantime."""

    def changed(newest: Run) -> Run:
        return newest if newest.ended else newest.model_copy(update=changes)

    return app.runs.change(run.export, run.id, changed)
