"""When an export is due, and what the run then answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim
from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared import stored_record
from shared.catalog.documents import Export
from shared.plan.pinned_snapshots import is_newer
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import compare_and_swap
from shared.record.run_record import Run, SnapshotUsed, Trigger


@dataclass(frozen=True)
class Due:
    """What a run answers: a time of the ``schedule``, or snapshots that are new. ``key`` is the same for everybody who
    finds the same, so that two ticks that overlap start one run."""

    trigger: Trigger
    key: str
    schedule: str
    due_at: datetime | None = None
    snapshots: tuple[SnapshotUsed, ...] = ()


def latest_time(export: Export, *, since: datetime, now: datetime) -> datetime | None:
    """The latest time of the cron expression (five fields, UTC), unless it lies before ``since``, when the export got
    its schedule. Of several times that were missed it is the latest: one run makes up for all."""
    if not export.schedule:
        return None
    # The second makes a tick on the very time count as one.
    latest = next(CronSim(export.schedule, now.astimezone(UTC) + timedelta(seconds=1), reverse=True))
    return latest if latest > since else None


def is_answered(due_at: datetime, runs: Iterable[Run]) -> bool:
    """Whether one of the export's ``runs``, the newest first, has begun for this time."""
    for run in runs:
        if run.due_at == due_at and run.begun:
            return True
        if run.created_at < due_at:
            break
    return False


def due_time(export: Export, due_at: datetime) -> Due:
    return Due("schedule", f"due {due_at.isoformat()}", schedule=str(export.schedule), due_at=due_at)


def last_snapshots(runs: Iterable[Run]) -> tuple[SnapshotUsed, ...]:
    """Those of the last run that had any, whatever became of it; a rehearsal does not count, nor does a run that never
    began. ``runs`` are those of the export, the newest first."""
    return next((run.snapshots for run in runs if run.snapshots and not run.dry_run and run.begun), ())


def new_snapshots(used: Sequence[SnapshotUsed], newest: Sequence[SnapshotUsed]) -> Due | None:
    """Whether one of the newest complete snapshots is newer than those that were ``used``."""
    known = {one.segment: one for one in used}
    if not any(is_newer(one, known.get(one.segment)) for one in newest):
        return None
    key = " ".join(["refresh", *(one.version for one in newest)])
    return Due("refresh", key, schedule="refresh", snapshots=tuple(newest))


def note_snapshots(state: Blobs, export: str, used: Sequence[SnapshotUsed]) -> None:
    """Keeps them longer than the records of runs, which a lifecycle rule deletes."""

    def decide(blob: Blob | None) -> bytes:
        return stored_record.written(tuple(used), blob.data if blob else None)

    compare_and_swap(state, _snapshots_name(export), decide)


def noted_snapshots(state: Blobs, export: str) -> tuple[SnapshotUsed, ...]:
    """Those of the last run that had any."""
    name = _snapshots_name(export)
    blob = state.read(name)
    return stored_record.read_all(SnapshotUsed, blob.data, name) if blob else ()


def note_time(state: Blobs, export: str, due_at: datetime) -> None:
    """Keeps that it is answered, as long as ``note_snapshots`` keeps those."""

    def decide(blob: Blob | None) -> bytes:
        return stored_record.written(_Answered(due_at=due_at), blob.data if blob else None)

    compare_and_swap(state, _time_name(export), decide)


def noted_time(state: Blobs, export: str) -> datetime | None:
    """The time of the schedule that a run answered last."""
    name = _time_name(export)
    blob = state.read(name)
    return stored_record.read(_Answered, blob.data, name).due_at if blob else None


class _Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    due_at: AwareDatetime


def _snapshots_name(export: str) -> str:
    return f"exports/{export}/snapshots.json"


def _time_name(export: str) -> str:
    return f"exports/{export}/answered.json"


def next_time(export: Export, now: datetime) -> datetime | None:
    """When a cron expression is due next; null for an export that no clock starts."""
    if not export.enabled or export.connection is None or export.schedule in (None, "refresh"):
        return None
    return next(CronSim(str(export.schedule), now.astimezone(UTC)))
