"""What is written down of a run: its record, as its steps need it, and as callers see it."""

import re
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal[
    "queued", "planning", "sending", "finishing", "succeeded", "completed_with_rejects", "failed", "cancelled"
]
Trigger = Literal["refresh", "schedule", "on-demand"]
Mode = Literal["changes", "everything"]
Removals = Literal["keep", "unsubscribe", "delete"]
ENDED: frozenset[Status] = frozenset({"succeeded", "completed_with_rejects", "failed", "cancelled"})

RUN_ID = re.compile(r"\d{8}T\d{9}-[0-9a-f]{8}")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SnapshotUsed(_Record):
    """``version`` changes when any file of the snapshot does; ``written_at`` is when its youngest file was."""

    segment: str
    path: str
    partitions: int
    version: str = ""
    written_at: datetime | None = None


class Counts(_Record):
    """rows_read = malformed + invalid + duplicate + unchanged + to_send; once the run has ended,
    to_send = added + updated + refused + unsent.

    Leavers have no row: of ``to_remove`` there are ``removed`` and ``not_removed``, and those whom the run did not come
    to."""

    rows_read: int = 0
    malformed: int = 0
    invalid: int = 0
    duplicate: int = 0
    unchanged: int = 0
    to_send: int = 0
    added: int = 0
    updated: int = 0
    refused: int = 0
    unsent: int = 0
    to_remove: int = 0
    removed: int = 0
    not_removed: int = 0

    @property
    def turned_down(self) -> int:
        return self.malformed + self.invalid + self.duplicate + self.refused + self.not_removed


class Findings(_Record):
    """Of an audit: how many of those whom the export has acknowledged are on the list, and in which state; and of the
    ``sampled`` ones, how many lack a field that was sent (``fields_dropped``)."""

    acknowledged: int = 0
    active: int = 0
    unconfirmed: int = 0
    unsubscribed: int = 0
    bounced: int = 0
    deleted: int = 0
    absent: int = 0
    sampled: int = 0
    fields_dropped: int = 0


class Progress(_Record):
    batches: int = 0
    done: int = 0


class Problem(_Record):
    code: str
    message: str
    action: str


class PublicRun(_Record):
    """One execution of an export, as far as callers see it. ``requested_by`` is null where the app itself began it;
    ``due_at`` is the time of the export's schedule that the run answers; ``planned_at`` and ``sent_at`` are when it
    had read everything, and when it had sent everything. With ``confirm_removals`` it removes however many have left.
    An ``audit`` sends nothing."""

    id: str
    export: str
    trigger: Trigger
    requested_by: str | None = None
    due_at: datetime | None = None
    status: Status = "queued"
    mode: Mode = "changes"
    dry_run: bool = False
    confirm_removals: bool = False
    audit: bool = False
    created_at: datetime
    started_at: datetime | None = None
    planned_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    snapshots: tuple[SnapshotUsed, ...] = ()
    counts: Counts = Counts()
    findings: Findings | None = None
    progress: Progress = Progress()
    warnings: tuple[Problem, ...] = ()
    error: Problem | None = None
    cancelled_by: str | None = None


class Run(PublicRun):
    """One execution of an export, with what its steps need."""

    attempt: str = Field(
        default="", description="which planning counts; none yet, or one of a version that knew no attempts"
    )
    claimed: bool = Field(default=False, description="whether it came to hold its export: else it never begins")
    list_id: str = Field(default="", description="what was planned is for this list alone")
    removals: Removals = Field(default="keep", description="what was planned for leavers")
    slices: int = 0
    import_slices: int = Field(default=0, description="the first of the slices; the others are of leavers")
    parallel_slices: int = 1
    partitions: tuple[tuple[str, ...], ...] = Field(default=(), description="file names by snapshot, for rejects")
    cancel_requested: bool = False
    guarded: Problem | None = Field(default=None, description="why it removes nobody, and ends as failed for that")
    failure: Problem | None = Field(default=None, description="why it is to end as failed, once the steps have stopped")
    resumed: int = Field(default=0, description="how often in a row it was taken up again without getting on")
    resumed_done: int = Field(default=0, description="batches done when it was last taken up again")
    resumed_status: Status | None = Field(
        default=None, description="what it was to get on with then: planning, sending or finishing"
    )
    resumed_heartbeat: datetime | None = Field(default=None, description="when it had last shown a heartbeat then")
    resumed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def begun(self) -> bool:
        """Whether it has come to hold its export, as far as its record says."""
        return self.claimed or self.status != "queued"

    @property
    def is_trial(self) -> bool:
        """Whether it sends nothing, whatever there is."""
        return self.dry_run or self.audit

    @property
    def kind(self) -> str:
        """What was asked for, in words."""
        if self.audit:
            return "it is an audit"
        more = ", and it is a rehearsal" if self.dry_run else ""
        return f"its mode is {self.mode}{more}" + (", and removals are confirmed" if self.confirm_removals else "")

    @property
    def stopping(self) -> bool:
        return self.cancel_requested or self.failure is not None


def run_id(now: datetime, suffix: str) -> str:
    """Sorts by time, to the millisecond; ``suffix`` are eight hexadecimal digits."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{suffix}"
