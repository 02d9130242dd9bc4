"""The three steps of a run, each for one message of the queue. Every one may be delivered twice."""

import hashlib
import logging
import time
from contextlib import closing
from pathlib import Path

from shared import send as sending
from shared.app import App
from shared.campaign_monitor import CampaignMonitor
from shared.catalog import Export, field_key
from shared.database import workspace
from shared.errors import Changed, DestinationError, ExportError, SegmentError
from shared.finish import Finish
from shared.mapping import ListField
from shared.plan import Plan
from shared.results import Totals
from shared.runs import Counts, Problem, Progress, Run, SnapshotUsed, Status
from shared.segments import Snapshot
from shared.slices import BATCH_ROWS, read_slice

# An invocation hands over well before the platform would end it (functionTimeout in host.json: 30 minutes).
INVOCATION_SECONDS = 15 * 60
LOOKS_EVERY_SECONDS = 2

_log = logging.getLogger(__name__)


def plan(app: App, run: Run) -> None:
    """Segments to slices. Nothing is sent before the account of all segments is known."""
    if run.status not in ("queued", "planning"):
        return
    export = app.catalog.export(run.export)
    connection = app.agreed(export)
    run = _change(app, run, status="planning", started_at=run.started_at or app.now())
    snapshots = app.snapshots(export)
    with closing(app.client(connection)) as client:
        fields = _preflight(client, export)
    with workspace() as work:
        before = _download(app, acknowledged_name(export), work.folder) if run.mode == "changes" else None
        planned = Plan(
            work,
            export.mapping,
            fields,
            acknowledged=before,
            slice_ready=lambda number, file: _upload_slice(app, run, number, file),
        )
        for position, snapshot in enumerate(snapshots):
            if not _read(app, planned, run, export, snapshot, position):
                finish(app, run)
                return
        planned.close()
        app.rejects(run).write("p", planned.rejects(snapshots))
    to_send = planned.account.to_send
    run = _change(
        app,
        run,
        status="sending" if to_send and not run.dry_run else "finishing",
        snapshots=tuple(used(snapshot) for snapshot in snapshots),
        partitions=tuple(tuple(part.name for part in snapshot.partitions) for snapshot in snapshots),
        counts=Counts(**planned.account.__dict__, unsent=to_send),
        progress=Progress(batches=-(-to_send // BATCH_ROWS)),
        slices=planned.slices,
    )
    if run.status == "finishing":
        app.enqueue("finish", run)
    elif run.status == "sending":
        for number in range(min(run.slices, run.parallel_slices)):
            app.enqueue("send", run, number)


def send(app: App, run: Run, number: int) -> None:
    """One slice to Campaign Monitor; then the next one is queued, or the end of the run."""
    if run.status != "sending" or number >= run.slices:
        return
    export = app.catalog.export(run.export)
    deadline = time.monotonic() + INVOCATION_SECONDS
    with workspace() as work:
        slice_ = read_slice(work, _slice(app, run, number))

    def stop() -> bool:
        app.runs.heartbeat(run, app.now())
        newest = app.runs.get(run.export, run.id)
        return newest.cancel_requested or newest.ended or time.monotonic() > deadline

    with closing(app.client(app.agreed(export), app.settings.upload_concurrency)) as client:
        done = sending.send(
            slice_,
            number,
            app.results(run),
            client,
            list_id=export.list_id,
            resubscribe=export.resubscribe,
            concurrency=app.settings.upload_concurrency,
            checkpoint_seconds=LOOKS_EVERY_SECONDS,
            stop=stop,
        )
    run = app.runs.get(run.export, run.id)
    if run.cancel_requested:
        app.enqueue("finish", run)
    elif not done:
        app.enqueue("send", run, number)
    elif number + run.parallel_slices < run.slices:
        app.enqueue("send", run, number + run.parallel_slices)
    elif _all_done(app, run):
        app.enqueue("finish", run)


def finish(app: App, run: Run, problem: Problem | None = None) -> None:
    """Closes the account; with a ``problem``, that of a run that failed."""
    totals = _confirm(app, run) if run.slices and not run.dry_run else Totals()
    closed = counted(run, totals)
    status: Status = "completed_with_rejects" if closed.counts.turned_down else "succeeded"
    if problem:
        status = "failed"
    elif run.cancel_requested:
        status = "cancelled"
    run = _change(
        app,
        run,
        status=status,
        counts=closed.counts,
        progress=closed.progress,
        error=problem,
        ended_at=app.now(),
    )
    app.runs.release(run)
    _log.info("export=%s run=%s status=%s counts=%s", run.export, run.id, run.status, run.counts.model_dump())


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


def used(snapshot: Snapshot) -> SnapshotUsed:
    etags = "".join(sorted(partition.etag for partition in snapshot.partitions))
    return SnapshotUsed(
        segment=snapshot.segment,
        path=snapshot.path,
        partitions=len(snapshot.partitions),
        version=hashlib.sha256(etags.encode()).hexdigest()[:16],
    )


def acknowledged_name(export: Export) -> str:
    return f"exports/{export.id}/acknowledged-{export.list_id}.parquet"


def _preflight(client: CampaignMonitor, export: Export) -> dict[str, ListField]:
    """The custom fields of the list by their key. An unknown field would be dropped without an error, so all that the
    mapping names must be there. Raises DestinationError."""
    client.check_key()
    client.list_details(export.list_id)
    fields = {
        field_key(field.key): ListField(field.key, field.data_type) for field in client.custom_fields(export.list_id)
    }
    missing = [field.key for field in export.mapping.custom_fields if field_key(field.key) not in fields]
    if missing:
        raise DestinationError(
            "fields_missing",
            f"The list has no custom field {', '.join(missing)}, which the mapping of the export names.",
            f"Its fields are: {', '.join(field.key for field in fields.values()) or 'none'}. Create what is missing in "
            "Campaign Monitor, or correct the mapping.",
        )
    return fields


def _read(app: App, planned: Plan, run: Run, export: Export, snapshot: Snapshot, position: int) -> bool:
    """One segment into the plan; False when the run is to be cancelled."""
    rows = 0
    for number, partition in enumerate(snapshot.partitions):
        if app.runs.get(run.export, run.id).cancel_requested:
            return False
        app.runs.heartbeat(run, app.now())
        chunks = app.segments.chunks(partition.path, partition.etag)
        try:
            rows += planned.read(snapshot, (position, number), chunks, at_most=export.max_profiles - rows)
        except Changed as error:
            raise SegmentError(
                "snapshot_changed",
                f"{snapshot.segment}, {partition.name} was written anew while it was read.",
                "Nothing was sent. The next run takes the newer files: start one, or wait for the schedule.",
            ) from error
    if rows > export.max_profiles:
        raise SegmentError(
            "too_many_profiles",
            f"The segment {snapshot.segment} has {rows:,} profiles; the export takes at most {export.max_profiles:,}.",
            "Nothing was sent. Make the segment smaller, or raise max_profiles of the export.",
        )
    return True


def _confirm(app: App, run: Run) -> Totals:
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
        merged = finished.merge(_file(work.folder, held.data) if held else None)
        with merged.open("rb") as file:
            app.state.write(name, file, replaces=held.etag if held else None, new=held is None)
        app.rejects(run).write("r", finished.rejects(run), after="p")
    return totals


def _all_done(app: App, run: Run) -> bool:
    totals = [one for _, one in app.results(run).totals()]
    return len(totals) == run.slices and all(one.done == one.batches for one in totals)


def _slice(app: App, run: Run, number: int) -> bytes:
    name = _slice_name(app, run, number)
    blob = app.state.read(name)
    if blob is None:
        raise ExportError(
            "slice_missing",
            f"{name} is gone, so what it held cannot be sent.",
            "Somebody deleted it, or a lifecycle rule did. Run the export again: what was confirmed is kept.",
        )
    return blob.data


def _slice_name(app: App, run: Run, number: int) -> str:
    return f"{app.runs.folder(run.export, run.id)}/slices/{number:05}.parquet"


def _upload_slice(app: App, run: Run, number: int, file: Path) -> None:
    with file.open("rb") as data:
        app.state.write(_slice_name(app, run, number), data)


def _download(app: App, name: str, folder: Path) -> Path | None:
    held = app.state.read(name)
    return _file(folder, held.data) if held else None


def _file(folder: Path, data: bytes) -> Path:
    file = folder / "acknowledged-before.parquet"
    file.write_bytes(data)
    return file


def _change(app: App, run: Run, **changes: object) -> Run:
    """Writes a change of the run, unless it has ended in the meantime."""

    def change(newest: Run) -> Run:
        return newest if newest.ended else newest.model_copy(update=changes)

    return app.runs.change(run.export, run.id, change)
