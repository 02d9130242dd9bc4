"""The route of segments: what there is to export."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from shared.catalog.store import READ_AT_ONCE
from shared.errors import SegmentError
from shared.parts import App
from shared.plan import pinned_snapshots
from shared.ports.threads import each
from shared.record.run_record import Problem
from shared.segments import header_row, snapshots
from shared.web.request_parts import AS_VIEWER, Wired, answers

router = APIRouter(tags=["segments"])


class SnapshotView(BaseModel):
    """The newest complete snapshot; its age counts from when its youngest file was written."""

    path: str
    written_at: datetime
    age_hours: float
    partitions: int
    bytes: int


class SegmentView(BaseModel):
    """``segment`` is its name in an export. Where it has no snapshot that can be used, ``error`` says why."""

    segment: str
    snapshot: SnapshotView | None
    columns: tuple[str, ...]
    error: Problem | None


@router.get("/segments", dependencies=[AS_VIEWER], responses=answers())
def list_segments(app: Wired) -> list[SegmentView]:
    """The segments in the container that Customer Insights writes to."""
    return each(app.threads, lambda name: _view(app, name), snapshots.names(app.segments), at_once=READ_AT_ONCE)


def _view(app: App, name: str) -> SegmentView:
    try:
        snapshot = pinned_snapshots.newest_of(app, name)
        columns = header_row.columns(app.segments, snapshot)
    except SegmentError as error:
        problem = Problem(code=error.code, message=error.message, action=error.action)
        return SegmentView(segment=name, snapshot=None, columns=(), error=problem)
    view = SnapshotView(
        path=snapshot.path,
        written_at=snapshot.written_at,
        age_hours=round((app.clock.now() - snapshot.written_at).total_seconds() / 3600, 1),
        partitions=len(snapshot.partitions),
        bytes=sum(partition.size for partition in snapshot.partitions),
    )
    return SegmentView(segment=name, snapshot=view, columns=columns, error=None)
