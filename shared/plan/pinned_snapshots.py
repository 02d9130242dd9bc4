"""Which snapshots a run takes: the newest complete ones, and how they are known again."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

from shared.catalog.documents import Export
from shared.errors import TemporaryError
from shared.parts import App
from shared.record.run_record import SnapshotUsed
from shared.segments import snapshots
from shared.segments.snapshots import Snapshot

_DATED = 4  # the last parts of a snapshot's path: yyyy/MM/dd/HHmm


def newest(app: App, export: Export, still: Callable[[], None] = lambda: None) -> tuple[Snapshot, ...]:
    """Of each segment, in the configured order. ``still`` is called after each, to raise what ends the search. Raises
    SegmentError."""
    found = []
    for segment in export.segments:
        found.append(newest_of(app, segment))
        still()
    return tuple(found)


def newest_of(app: App, segment: str) -> Snapshot:
    """Raises SegmentError."""
    return snapshots.find(
        app.segments, segment, now=app.clock.now(), quiet=timedelta(minutes=app.settings.quiet_minutes)
    )


def used(snapshot: Snapshot) -> SnapshotUsed:
    etags = "".join(sorted(partition.etag for partition in snapshot.partitions))
    return SnapshotUsed(
        segment=snapshot.segment,
        path=snapshot.path,
        partitions=len(snapshot.partitions),
        version=hashlib.sha256(etags.encode()).hexdigest()[:16],
        written_at=snapshot.written_at,
    )


def is_newer(one: SnapshotUsed, used: SnapshotUsed | None) -> bool:
    """An older one comes to the top when the newest is removed: that is not new."""
    if used is None or one.path == used.path:
        return used is None or one.version != used.version
    return one.path.split("/")[-_DATED:] > used.path.split("/")[-_DATED:]


def must_not_be_older(newest: Sequence[SnapshotUsed], known: Sequence[SnapshotUsed]) -> None:
    """``known`` are those that the run was started for, or had at its last attempt. Raises TemporaryError where one of
    them is not complete for this machine: its clock may be behind that of the timer."""
    found = {one.segment: one for one in newest}
    for one in known:
        if one.segment in found and is_newer(one, found[one.segment]) and one.path != found[one.segment].path:
            raise TemporaryError(
                "snapshot_incomplete",
                f"{one.path}, which the run was started for, is not complete any more.",
                "If its files were removed, run the export of Customer Insights again.",
            )
