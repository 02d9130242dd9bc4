"""When an export is due, and what the run then answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from shared import stored_record
from shared.catalog.documents import Export
from shared.plan.pinned_snapshots import is_newer
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap
from shared.record.run_record import Run, SnapshotUsed, Trigger


@dataclass(frozen=True)
class Due:
    """What a run answers: a time of the schedule, or snapshots that are new. ``key`` is the same for everybody who
    finds the same, so that two ticks that overlap start one run."""

    trigger: Trigger
    key: str
    due_at: datetime | None = None
    snapshots: tuple[SnapshotUsed, ...] = ()


def due_time(export: Export, runs: Iterable[Run], *, since: datetime, now: datetime) -> Due | None:
    """The latest time of the cron expression (five fields, UTC), unless it lies before ``since``, when the export got
    its schedule, or a run has answered it. Of several times that were missed it is the latest: one run makes up for
    all. ``runs`` are those of the export, the newest first."""
    if not export.schedule:
        return None
    # The second makes a tick on the very time count as one.
    latest = next(CronSim(export.schedule, now.astimezone(UTC) + timedelta(seconds=1), reverse=True))
    if latest <= since:
        return None
    for run in runs:
        if run.due_at == latest and run.begun:
            return None
        if run.created_at < latest:
            break
    return Due("schedule", f"due {latest.isoformat()}", due_at=latest)


def new_snapshots(
    runs: Iterable[Run], newest: Sequence[SnapshotUsed], *, noted: Sequence[SnapshotUsed] = ()
) -> Due | None:
    """Whether one of the newest complete snapshots is newer than those of the last run that had any, whatever became
    of that run; a rehearsal does not count, nor does a run that never began. ``runs`` are those of the export, the
    newest first; ``noted`` stands in where their records are gone."""
    last = next((run.snapshots for run in runs if run.snapshots and not run.dry_run and run.begun), noted)
    used = {one.segment: one for one in last}
    if not any(is_newer(one, used.get(one.segment)) for one in newest):
        return None
    return Due("refresh", " ".join(["refresh", *(one.version for one in newest)]), snapshots=tuple(newest))


def note_snapshots(state: Blobs, export: str, used: Sequence[SnapshotUsed]) -> None:
    """Keeps them longer than the records of runs, which a lifecycle rule deletes."""

    def decide(blob: Blob | None) -> bytes:
        return stored_record.written(tuple(used), blob.data if blob else None)

    compare_and_swap(state, _noted_name(export), decide)


def noted_snapshots(state: Blobs, export: str) -> tuple[SnapshotUsed, ...]:
    """Those of the last run that came to plan."""
    blob = state.read(_noted_name(export))
    return stored_record.read_all(SnapshotUsed, blob.data, _noted_name(export)) if blob else ()


def _noted_name(export: str) -> str:
    return f"exports/{export}/snapshots.json"


def next_time(export: Export, now: datetime) -> datetime | None:
    """When a cron expression is due next; null for an export that no clock starts."""
    if not export.enabled or export.connection is None or export.schedule in (None, "refresh"):
        return None
    return next(CronSim(str(export.schedule), now.astimezone(UTC)))
