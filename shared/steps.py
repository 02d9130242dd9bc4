"""The steps after planning, each for one message of the queue, and how a run goes from one to the next."""

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from shared import send as sending
from shared import telemetry
from shared.app import App
from shared.catalog import Export
from shared.database import workspace
from shared.errors import ExportError
from shared.finish import Finish
from shared.results import Totals
from shared.runs import Progress, Run, Status
from shared.slices import read_slice
from shared.storage import Lock

FINISH_LOOKS_AFTER = 2  # seconds, whether the steps that were at work have stopped


def send(app: App, run: Run, number: int, lock: Lock) -> dict[str, int]:
    """One slice to Campaign Monitor; then the next one is queued, or the end of the run. Returns what the calls came
    to."""
    if run.status != "sending" or number >= run.slices:
        return {}
    export = app.catalog.export(run.export)
    deadline = time.monotonic() + app.invocation_seconds
    with workspace() as work:
        slice_ = read_slice(work, _slice(app, run, number))

    def stop() -> bool:
        lock.check()
        newest = app.runs.get(run.export, run.id)
        return newest.stopping or newest.ended or time.monotonic() > deadline

    with closing(app.client(app.agreed(export), app.settings.upload_concurrency)) as client:
        done = sending.send(
            slice_,
            number,
            app.results(run),
            client,
            list_id=export.list_id,
            resubscribe=export.resubscribe,
            concurrency=app.settings.upload_concurrency,
            checkpoint_seconds=app.checkpoint_seconds,
            stop=stop,
        )
        load = client.load()
    run = app.runs.get(run.export, run.id)
    if run.stopping:
        app.enqueue("finish", run)
    elif not done:
        app.enqueue("send", run, number)
    elif number + run.parallel_slices < run.slices:
        app.enqueue("send", run, number + run.parallel_slices)
    elif not _open_slices(app, run):
        app.enqueue("finish", run)
    result = app.results(run).get(number)
    return (result.totals.__dict__ if result else {}) | load


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
    status: Status = "completed_with_rejects" if closed.counts.turned_down else "succeeded"
    if run.cancel_requested:
        status = "cancelled"
    if run.failure:
        status = "failed"
    run = change(
        app,
        run,
        status=status,
        counts=closed.counts,
        progress=closed.progress,
        error=run.failure,
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
    elif run.status == "sending" and not run.stopping and (open_slices := _open_slices(app, run)):
        # One chain of slices each: a finished slice queues the one that is parallel_slices further.
        chains = {number % run.parallel_slices: number for number in reversed(open_slices)}
        for number in sorted(chains.values()):
            app.enqueue("send", run, number)
    elif not run.ended:
        app.enqueue("finish", run)


def slice_lock(number: int) -> str:
    return f"slice-{number:05}"


def counted(run: Run, totals: Totals) -> Run:
    """The run with what its batches have come to. What has no answer is unsent, so that the account balances."""
    answered = totals.added + totals.updated + totals.refused
    counts = run.counts.model_copy(
        update={
            "added": totals.added,
            "updated": totals.updated,
            "refused": totals.refused,
            "unsent": run.counts.to_send - answered,
        }
    )
    progress = Progress(batches=run.progress.batches, done=totals.done)
    return run.model_copy(update={"counts": counts, "progress": progress})


def acknowledged_name(export: Export) -> str:
    return f"exports/{export.id}/acknowledged-{export.list_id}.parquet"


def _confirm(app: App, run: Run, lock: Lock) -> Totals:
    """Writes what Campaign Monitor confirmed and what it refused."""
    name = acknowledged_name(app.catalog.export(run.export))
    results = app.results(run)
    totals = Totals()
    with workspace() as work:
        finished = Finish(work)
        for number, _ in results.totals():
            result = results.get(number)
            if result:
                finished.add(_slice(app, run, number), result)
                totals += result.totals
        held = app.state.read(name)
        merged = finished.merge(acknowledged_file(work.folder, held.data) if held else None)
        lock.check()
        with merged.open("rb") as file:
            app.state.write(name, file, replaces=held.etag if held else None, new=held is None)
        tell_rejected(run, app.rejects(run).write("r", finished.rejects(run), after="p"))
    return totals


def tell_rejected(run: Run, reasons: Mapping[str, int]) -> None:
    for reason, rows in reasons.items():
        telemetry.tell("rejected", export=run.export, run=run.id, reason=reason, rows=rows)


def _open_slices(app: App, run: Run) -> list[int]:
    """The slices that are not done, in order."""
    done = {number for number, one in app.results(run).totals() if one.done == one.batches}
    return [number for number in range(run.slices) if number not in done]


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


def acknowledged_file(folder: Path, data: bytes) -> Path:
    file = folder / "acknowledged-before.parquet"
    file.write_bytes(data)
    return file


def change(app: App, run: Run, **changes: object) -> Run:
    """Writes a change of the run, unless it has ended in the meantime."""

    def changed(newest: Run) -> Run:
        return newest if newest.ended else newest.model_copy(update=changes)

    return app.runs.change(run.export, run.id, changed)
