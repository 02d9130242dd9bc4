"""Which snapshots a run takes: the newest complete ones, and how they are known again."""

import hashlib
from datetime import timedelta

from shared.catalog.documents import Export
from shared.parts import App
from shared.record.run_record import SnapshotUsed
from shared.segments import snapshots
from shared.segments.snapshots import Snapshot


def newest(app: App, export: Export) -> tuple[Snapshot, ...]:
    """Of each segment, in the configured order. Raises SegmentError."""
    return tuple(newest_of(app, segment) for segment in export.segments)


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
