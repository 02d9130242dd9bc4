"""The planning step: which files, what is to be sent, and whether the list can take it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from shared.catalog.documents import Export, field_key
from shared.errors import Changed, SegmentError
from shared.leavers.already_listed import Newcomers
from shared.leavers.removal_plan import Removal, plan_removal
from shared.parts import App
from shared.plan import pinned_snapshots, segment_options, snapshot_age
from shared.plan.list_fields import preflight
from shared.plan.planner import Planner
from shared.ports.destination import Destination, Field
from shared.record import acknowledged
from shared.record.blob_places import already_listed_name, slice_name
from shared.record.duckdb_workspace import Workspace
from shared.record.run_account import must_balance
from shared.record.run_record import Counts, Problem, Progress, Run
from shared.record.step_lock import StepLock
from shared.record.step_outcome import Outcome
from shared.runs.next_steps import next_steps
from shared.runs.undivided_step import LIST, SEGMENTS, Undivided
from shared.segments.snapshots import Snapshot


def plan(app: App, run: Run, lock: StepLock) -> Iterator[Outcome]:
    """Segments to slices, in the folder of this attempt. Nothing is sent before the account of all segments is known.

    The snapshots are told before anything can fail: a run that fails has had them, and no tick runs them again."""
    export = app.catalog.export(run.export)
    connection = app.agreed(export)
    step = Undivided(app, run, lock, SEGMENTS)
    snapshots = pinned_snapshots.newest(app, export, still=step.must_go_on)
    newest = tuple(pinned_snapshots.used(snapshot) for snapshot in snapshots)
    pinned_snapshots.must_not_be_older(newest, run.snapshots)
    yield Outcome({"snapshots": newest})
    warnings = snapshot_age.judge(export, newest, _last_success(app, run), now=app.clock.now())
    if warnings:
        yield Outcome({"warnings": warnings})
    with (
        closing(
            app.account(connection, at_once=app.settings.upload_concurrency, may_call=step.must_be_in_time)
        ) as account,
        app.workspace() as work,
    ):
        planning = _Planning(app, run, export, step, work)
        yield planning.planned(snapshots, account, warnings)


class _Planning:
    """One attempt to plan a run."""

    def __init__(self, app: App, run: Run, export: Export, step: Undivided, work: Workspace) -> None:
        self._app = app
        self._run = run
        self._export = export
        self._step = step
        self._work = work
        self._newcomers = Newcomers(work)
        self._removes = export.removals != "keep"

    def planned(self, snapshots: tuple[Snapshot, ...], account: Destination, warnings: tuple[Problem, ...]) -> Outcome:
        app, run, export = self._app, self._run, self._export
        self._step.reading(LIST)
        fields = preflight(account, export, app.threads)
        self._step.reading(SEGMENTS)
        file = self._work.folder / "before.parquet"
        before = file if app.state.download(acknowledged.name(export.id, export.list_id), file) else None
        planner = self._planner(snapshots, fields, before)
        empty = self._read_all(planner, snapshots)
        self._step.must_go_on()
        rejected = app.rejects(run).write("p", planner.rejects(snapshots))
        removal = Removal()
        if self._removes:
            removal = plan_removal(
                app,
                run,
                export,
                self._work,
                before,
                malformed=planner.account.malformed,
                empty=empty,
                first_slice=planner.slices,
                slice_ready=self._save,
            )
            if not run.dry_run:
                self._look_up_newcomers(account)
        to_send, slices = planner.account.to_send, planner.slices + removal.slices
        problems = [problem for problem in (removal.warning, removal.guarded if run.dry_run else None) if problem]
        counts = Counts(**planner.account.__dict__, unsent=to_send, to_remove=removal.to_remove)
        changes = {
            "status": "sending" if slices and not run.dry_run else "finishing",
            "planned_at": app.clock.now(),
            "partitions": tuple(tuple(part.name for part in snapshot.partitions) for snapshot in snapshots),
            "counts": must_balance(counts),
            "progress": Progress(batches=app.sizes.batches(to_send) + removal.rows),
            "warnings": (*warnings, *problems),
            "list_id": export.list_id,
            "removals": export.removals,
            "guarded": None if run.dry_run else removal.guarded,
            "import_slices": planner.slices,
            "slices": slices,
        }
        self._step.must_be_in_time()
        follow = next_steps(app, run.model_copy(update=changes))
        told = {**planner.account.__dict__, "to_remove": removal.to_remove, "slices": slices}
        return Outcome(changes, follow, told, rejected)

    def _planner(self, snapshots: tuple[Snapshot, ...], fields: dict[str, Field], before: Path | None) -> Planner:
        app, mapping = self._app, self._export.mapping
        complete: Callable[[str], str] | None = None
        if mapping.segments_field:
            field = fields[field_key(mapping.segments_field)]
            complete = segment_options.note(
                self._work,
                app.workspace,
                mapping,
                field,
                snapshots,
                self._read,
                threads=app.threads,
                sizes=app.sizes,
            )
        return Planner(
            self._work,
            mapping,
            fields,
            threads=app.threads,
            sizes=app.sizes,
            acknowledged=before,
            slice_ready=self._take_slice,
            everything=self._run.mode == "everything",
            complete=complete,
        )

    def _read_all(self, planner: Planner, snapshots: tuple[Snapshot, ...]) -> list[str]:
        """Returns the segments that gave nothing that can be used."""
        empty = []
        for position, snapshot in enumerate(snapshots):
            usable = planner.account.usable
            self._read(planner, snapshot, position)
            if planner.account.usable == usable:
                empty.append(snapshot.segment)
        planner.close()
        return empty

    def _read(self, planner: Planner, snapshot: Snapshot, position: int) -> None:
        """One segment into the plan."""
        rows, most = 0, self._export.max_profiles
        for number in range(len(snapshot.partitions)):
            chunks = partial(self._chunks, snapshot, number)
            rows += planner.read(snapshot, (position, number), chunks, at_most=most - rows)
        if rows > most:
            raise SegmentError(
                "too_many_profiles",
                f"The segment {snapshot.segment} has {rows:,} profiles; the export takes at most {most:,}.",
                "Nothing was sent. Make the segment smaller, or raise max_profiles of the export.",
            )

    def _chunks(self, snapshot: Snapshot, number: int) -> Iterator[bytes]:
        """Of one partition."""
        partition = snapshot.partitions[number]
        try:
            for chunk in self._app.segments.chunks(partition.path, partition.etag):
                self._step.must_go_on()
                yield chunk
        except Changed as error:
            raise SegmentError(
                "snapshot_changed",
                f"{snapshot.segment}, {partition.name} was written anew while it was read.",
                "Nothing was sent. The next run takes the newer files: start one, or wait for the schedule.",
            ) from error

    def _take_slice(self, number: int, file: Path) -> None:
        self._save(number, file)
        if self._removes:
            self._newcomers.add(file)

    def _save(self, number: int, file: Path) -> None:
        self._step.must_go_on()
        with file.open("rb") as data:
            self._app.state.write(slice_name(self._run, number), data)

    def _look_up_newcomers(self, account: Destination) -> None:
        """Notes which newcomers are on the list already, for the end of the run."""
        app, run = self._app, self._run
        self._step.reading(LIST)
        there = self._newcomers.there_before(
            account,
            self._export.list_id,
            app.threads,
            at_once=app.settings.upload_concurrency,
            still=self._step.must_go_on,
        )
        if there:
            with there.open("rb") as data:
                app.state.write(already_listed_name(run), data)


def _last_success(app: App, run: Run) -> Run | None:
    """The last run that sent what it planned, whatever triggered it."""
    succeeded = ("succeeded", "completed_with_rejects")
    return next((one for one in app.runs.newest(run.export) if one.status in succeeded and not one.is_trial), None)
