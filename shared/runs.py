"""The records of runs, and which run holds an export."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Changed, NotFound
from shared.storage import Container

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
    resumed_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

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


def new_id(now: datetime) -> str:
    """Sorts by time, to the millisecond."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(4)}"


class Claim(_Record):
    """Which run holds the export, since its last heartbeat."""

    run: str
    heartbeat: datetime


class Runs:
    """The container ``export-state``, as far as runs are concerned."""

    def __init__(self, state: Container) -> None:
        self._state = state

    def folder(self, run: Run) -> str:
        return _folder(run.export, run.id)

    def create(self, run: Run) -> None:
        self._state.write(f"{self.folder(run)}/run.json", _json(run), new=True)

    def get(self, export: str, run: str) -> Run:
        """As it was last written. Raises NotFound."""
        return self._read(export, run)[0]

    def change(self, export: str, run: str, how: Callable[[Run], Run]) -> Run:
        """Writes what ``how`` makes of the newest record; ``how`` may be called again when somebody else wrote first,
        and leaves the record as it is by giving back what it got."""
        while True:
            old, etag = self._read(export, run)
            new = how(old)
            if new == old:
                return old
            try:
                self._state.write(f"{_folder(export, run)}/run.json", _json(new), replaces=etag)
            except Changed:
                continue
            return new

    def remove(self, run: Run) -> None:
        self._state.delete(f"{self.folder(run)}/run.json")

    def ids(self, export: str) -> list[str]:
        """Newest first."""
        names = self._state.folders(f"runs/{export}/")
        return sorted((name for name in names if RUN_ID.fullmatch(name)), reverse=True)

    def newest(self, export: str) -> Iterator[Run]:
        """Newest first; a run without a record is passed over."""
        for id_ in self.ids(export):
            try:
                yield self.get(export, id_)
            except NotFound:
                continue

    def claim(self, run: Run, now: datetime) -> tuple[str, bool]:
        """Makes ``run`` the one that holds its export, unless one does; returns the id of the holder, and whether this
        call made it that."""
        name = _claim_name(run.export)
        claim = _json(Claim(run=run.id, heartbeat=now))
        while True:
            held = self._state.read(name)
            if held is None:
                try:
                    self._state.write(name, claim, new=True)
                except Changed:
                    continue
                return run.id, True
            holder = Claim.model_validate_json(held.data).run
            if self._is_live(run.export, holder):
                return holder, False
            try:
                self._state.write(name, claim, replaces=held.etag)
            except Changed:
                continue
            return run.id, True

    def held(self, export: str) -> Claim | None:
        """Which run holds the export."""
        blob = self._state.read(_claim_name(export))
        return Claim.model_validate_json(blob.data) if blob else None

    def release(self, export: str, run: str) -> None:
        """Lets go of the export, if ``run`` holds it."""
        blob = self._state.read(_claim_name(export))
        if blob and Claim.model_validate_json(blob.data).run == run:
            with suppress(Changed):
                self._state.delete(_claim_name(export), etag=blob.etag)

    def heartbeat(self, run: Run, now: datetime) -> None:
        """Says that ``run`` is alive; silent where it no longer holds the export."""
        blob = self._state.read(_claim_name(run.export))
        if blob and Claim.model_validate_json(blob.data).run == run.id:
            with suppress(Changed):
                self._state.write(_claim_name(run.export), _json(Claim(run=run.id, heartbeat=now)), replaces=blob.etag)

    def claims(self) -> Iterator[tuple[str, Claim]]:
        """Every export that a run holds, with the claim."""
        for info in self._state.list("exports/"):
            export, _, name = info.name.removeprefix("exports/").partition("/")
            blob = self._state.read(info.name) if name == "active.json" else None
            if blob:
                yield export, Claim.model_validate_json(blob.data)

    def _is_live(self, export: str, run: str) -> bool:
        try:
            return not self.get(export, run).ended
        except NotFound:
            return False

    def _read(self, export: str, run: str) -> tuple[Run, str]:
        blob = self._state.read(f"{_folder(export, run)}/run.json") if RUN_ID.fullmatch(run) else None
        if blob is None:
            raise NotFound(
                "run_not_found",
                f"The export {export} has no run {run}.",
                f"GET /api/exports/{export}/runs lists those that there are.",
            )
        return Run.model_validate_json(blob.data), blob.etag


def _folder(export: str, run: str) -> str:
    return f"runs/{export}/{run}"


def _claim_name(export: str) -> str:
    return f"exports/{export}/active.json"


def _json(record: BaseModel) -> bytes:
    return record.model_dump_json(indent=1).encode()
