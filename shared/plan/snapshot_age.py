"""Whether the snapshots of a run are news, or what was exported before."""

from collections.abc import Sequence
from datetime import datetime

from shared.catalog.documents import Export
from shared.errors import SegmentError
from shared.record.run_record import Problem, Run, SnapshotUsed


def judge(export: Export, newest: Sequence[SnapshotUsed], last: Run | None, *, now: datetime) -> tuple[Problem, ...]:
    """A warning for each snapshot that the ``last`` successful run had as well: the run goes on, and with the mode
    ``changes`` it sends nothing that was confirmed. Nothing in a file tells when Customer Insights last evaluated the
    segment, so its age counts from when the files were written.

    Raises SegmentError where a snapshot is older than the export's ``max_age_hours``.
    """
    warnings = []
    used = {(one.path, one.version) for one in last.snapshots} if last else set()
    for one in newest:
        age = _age(one, now)
        if export.max_age_hours is not None and age > export.max_age_hours:
            raise SegmentError(
                "snapshot_too_old",
                f"The newest snapshot of {one.segment} is {age:.0f} hours old; the export takes one of at most "
                f"{export.max_age_hours} hours.",
                "Nothing was sent. See why the segment or the export of Customer Insights was not refreshed, or raise "
                "max_age_hours of the export.",
            )
        if (one.path, one.version) in used:
            warnings.append(
                Problem(
                    code="snapshot_unchanged",
                    message=f"{one.segment} was not refreshed since the last run: its newest snapshot is {age:.0f} "
                    "hours old.",
                    action="If it should have been, check its schedule and that of the export in Customer Insights.",
                )
            )
    return tuple(warnings)


def _age(one: SnapshotUsed, now: datetime) -> float:
    """In hours."""
    return (now - one.written_at).total_seconds() / 3600 if one.written_at else 0
