"""When an export is due."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cronsim import CronSim

from shared.catalog import Export
from shared.runs import Run, SnapshotUsed, Trigger


def due(
    export: Export, last: Run | None, newest: Sequence[SnapshotUsed], *, saved_at: datetime, now: datetime
) -> Trigger | None:
    """``last`` is the last run that was no rehearsal; ``newest`` what the segments' newest complete snapshots are.

    ``refresh`` is due when a snapshot is there that the last run did not use, whatever became of that run; a cron
    expression (five fields, UTC) once for each of its times, counted from when the export was saved.
    """
    if not export.enabled or export.schedule is None:
        return None
    if export.schedule == "refresh":
        used = {(one.path, one.version) for one in last.snapshots} if last else set()
        return "refresh" if any((one.path, one.version) not in used for one in newest) else None
    latest = next(CronSim(export.schedule, now.astimezone(UTC), reverse=True))
    since = max(saved_at, last.created_at) if last else saved_at
    return "schedule" if latest > since else None
