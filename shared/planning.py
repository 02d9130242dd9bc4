"""The planning step: which files, what is to be sent, and whether the list can take it."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from shared import acknowledged, freshness, membership, schedule, steps
from shared.app import App
from shared.campaign_monitor import CampaignMonitor
from shared.catalog import Export, field_key
from shared.database import workspace
from shared.departures import Removal, plan_removal
from shared.errors import Changed, ConfigurationError, DestinationError, SegmentError
from shared.mapping import ListField
from shared.newcomers import Newcomers
from shared.plan import Plan
from shared.runs import Counts, Progress, Run, SnapshotUsed
from shared.segments import Snapshot
from shared.slices import BATCH_ROWS
from shared.storage import Lock


class Stopped(Exception):
    """The run is to be stopped; whoever asked for that has queued its end."""


def plan(app: App, run: Run, lock: Lock) -> dict[str, int]:
    """Segments to slices. Nothing is sent before the account of all segments is known. Returns that account."""
    if run.status not in ("queued", "planning"):
        # Delivered again: an instance may have died after the plan and before it queued all that comes next.
        steps.enqueue_next(app, run)
        return {}
    export = app.catalog.export(run.export)
    connection = app.agreed(export)
    deadline = time.monotonic() + app.planning_seconds
    run = steps.change(app, run, status="planning", started_at=run.started_at or app.now())
    run, snapshots = _pinned(app, run, export)

    def save(number: int, file: Path) -> None:
        lock.check()
        with file.open("rb") as data:
            app.state.write(steps.slice_name(app, run, number), data)

    removal = Removal()
    with closing(app.client(connection, app.settings.upload_concurrency)) as client, workspace() as work:
        fields = _preflight(client, export)
        before = _download(app, acknowledged.name(export.id, export.list_id), work.folder)
        newcomers = Newcomers(work)

        def take(number: int, file: Path) -> None:
            save(number, file)
            if export.removals != "keep":
                newcomers.add(file)

        def read(planned: Plan, snapshot: Snapshot, position: int) -> None:
            _read(app, planned, run, snapshot, position, export.max_profiles, deadline=deadline)

        complete = None
        if export.mapping.segments_field:
            field = fields[field_key(export.mapping.segments_field)]
            complete = membership.note(work, export.mapping, field, snapshots, read)
        planned = Plan(
            work,
            export.mapping,
            fields,
            acknowledged=before,
            slice_ready=take,
            everything=run.mode == "everything",
            complete=complete,
        )
        empty = []
        for position, snapshot in enumerate(snapshots):
            usable = planned.account.usable
            read(planned, snapshot, position)
            if planned.account.usable == usable:
                empty.append(snapshot.segment)
        planned.close()
        lock.check()
        steps.tell_rejected(run, app.rejects(run).write("p", planned.rejects(snapshots)))
        if export.removals != "keep":
            removal = plan_removal(
                app,
                run,
                export,
                work,
                before,
                malformed=planned.account.malformed,
                empty=empty,
                first_slice=planned.slices,
                slice_ready=save,
            )
            if not run.dry_run:
                _look_up(app, run, export, newcomers, client)
    to_send = planned.account.to_send
    slices = planned.slices + removal.slices
    problems = [problem for problem in (removal.warning, removal.guarded if run.dry_run else None) if problem]
    lock.check()
    run = steps.change(
        app,
        run,
        status="sending" if slices and not run.dry_run else "finishing",
        planned_at=app.now(),
        partitions=tuple(tuple(part.name for part in snapshot.partitions) for snapshot in snapshots),
        counts=Counts(**planned.account.__dict__, unsent=to_send, to_remove=removal.to_remove),
        progress=Progress(batches=-(-to_send // BATCH_ROWS) + removal.rows),
        warnings=(*run.warnings, *problems),
        list_id=export.list_id,
        removals=export.removals,
        guarded=None if run.dry_run else removal.guarded,
        import_slices=planned.slices,
        slices=slices,
    )
    steps.enqueue_next(app, run)
    return {**planned.account.__dict__, "to_remove": removal.to_remove, "slices": slices}


def _pinned(app: App, run: Run, export: Export) -> tuple[Run, tuple[Snapshot, ...]]:
    """The run with its snapshots, which are recorded before anything can fail: a run that fails has had them, and no
    tick runs them again."""
    snapshots = app.snapshots(export)
    newest = tuple(used(snapshot) for snapshot in snapshots)
    run = steps.change(app, run, snapshots=newest)
    if not run.dry_run:
        schedule.note(app.state, run.export, newest)
    warnings = freshness.judge(export, newest, _last_success(app, run), now=app.now())
    return steps.change(app, run, warnings=warnings), snapshots


def _look_up(app: App, run: Run, export: Export, newcomers: Newcomers, client: CampaignMonitor) -> None:
    """Notes which newcomers are on the list already, for the end of the run."""

    def still() -> None:
        if app.runs.get(run.export, run.id).stopping:
            raise Stopped

    there = newcomers.there_before(client, export.list_id, at_once=app.settings.upload_concurrency, still=still)
    if there:
        with there.open("rb") as data:
            app.state.write(steps.there_before_name(app, run), data)


def _last_success(app: App, run: Run) -> Run | None:
    """The last run that sent what it planned, whatever triggered it."""
    succeeded = ("succeeded", "completed_with_rejects")
    return next((one for one in app.runs.newest(run.export) if one.status in succeeded and not one.is_trial), None)


def used(snapshot: Snapshot) -> SnapshotUsed:
    etags = "".join(sorted(partition.etag for partition in snapshot.partitions))
    return SnapshotUsed(
        segment=snapshot.segment,
        path=snapshot.path,
        partitions=len(snapshot.partitions),
        version=hashlib.sha256(etags.encode()).hexdigest()[:16],
        written_at=snapshot.written_at,
    )


def _preflight(client: CampaignMonitor, export: Export) -> dict[str, ListField]:
    """The custom fields of the list by their key. An unknown field would be dropped without an error, so all that the
    mapping names must be there. Raises DestinationError."""
    with ThreadPoolExecutor(3, thread_name_prefix="preflight") as pool:  # at once: the service may be slow
        key = pool.submit(client.check_key)
        details = pool.submit(client.list_details, export.list_id)
        found = pool.submit(list_fields, client, export)
        # A key that is turned down is told as such, whatever the others met.
        key.result()
        details.result()
        fields = found.result()
    must_have_fields(export, fields)
    return fields


def list_fields(client: CampaignMonitor, export: Export) -> dict[str, ListField]:
    """The custom fields of the list by their ``field_key``."""
    return {
        field_key(field.key): ListField(field.key, field.data_type, field.options)
        for field in client.custom_fields(export.list_id)
    }


def must_have_fields(export: Export, fields: dict[str, ListField]) -> None:
    """Raises DestinationError, or ConfigurationError where two things are to go to one field."""
    named = [field.key for field in export.mapping.custom_fields]
    if export.mapping.segments_field:
        named.append(export.mapping.segments_field)
    twice = [key for key in named[:-1] if field_key(key) == field_key(named[-1])]
    if twice:
        raise ConfigurationError(
            "field_twice",
            f"The field {twice[0]} takes a column and the names of the segments.",
            "Name another one as segments_field of the mapping.",
            field="mapping.segments_field",
        )
    missing = [key for key in named if field_key(key) not in fields]
    if missing:
        raise DestinationError(
            "fields_missing",
            f"The list has no custom field {', '.join(missing)}, which the mapping of the export names.",
            f"Its fields are: {', '.join(field.key for field in fields.values()) or 'none'}. Create what is missing in "
            "Campaign Monitor, or correct the mapping.",
        )
    if export.mapping.segments_field:
        membership.must_take(fields[field_key(export.mapping.segments_field)], export.segments)


def _read(app: App, planned: Plan, run: Run, snapshot: Snapshot, position: int, most: int, *, deadline: float) -> None:
    """One segment into the plan."""
    rows = 0
    for number, partition in enumerate(snapshot.partitions):
        chunks = app.segments.chunks(partition.path, partition.etag)
        chunks = _until_stopped(app, run, snapshot, chunks, deadline)
        try:
            rows += planned.read(snapshot, (position, number), chunks, at_most=most - rows)
        except Changed as error:
            raise SegmentError(
                "snapshot_changed",
                f"{snapshot.segment}, {partition.name} was written anew while it was read.",
                "Nothing was sent. The next run takes the newer files: start one, or wait for the schedule.",
            ) from error
    if rows > most:
        raise SegmentError(
            "too_many_profiles",
            f"The segment {snapshot.segment} has {rows:,} profiles; the export takes at most {most:,}.",
            "Nothing was sent. Make the segment smaller, or raise max_profiles of the export.",
        )


def _until_stopped(app: App, run: Run, snapshot: Snapshot, chunks: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    """The chunks, until the run is to stop: then Stopped is raised; or until it is late, which is an error."""
    look_at = 0.0
    for chunk in chunks:
        if time.monotonic() >= look_at:
            if app.runs.get(run.export, run.id).stopping:
                raise Stopped
            look_at = time.monotonic() + app.checkpoint_seconds
        if time.monotonic() > deadline:
            raise SegmentError(
                "planning_too_long",
                f"The segments of the export are too large to be read in {app.planning_seconds / 60:.0f} minutes: the "
                f"run came as far as {snapshot.segment}.",
                "Nothing was sent. Give the export fewer or smaller segments: several exports may share a list.",
            )
        yield chunk


def _download(app: App, name: str, folder: Path) -> Path | None:
    file = folder / "before.parquet"
    return file if app.state.download(name, file) else None
