"""Slices: what the plan hands to the sending steps, up to 48 batches in a Parquet file.

Columns: segment and partition (positions in the run's list of snapshots), line, customer_id, email (as it is sent),
hash (of the subscriber as it is sent), body (the subscriber as JSON), before (the ``acknowledged.State`` that it had).

Behind them come slices of leavers, one call each. Columns: email, added (whether this export put it on the list: the
others are let go without a call).
"""

from dataclasses import dataclass
from typing import Any

from shared.acknowledged import State
from shared.database import Workspace

BATCH_ROWS = 1000  # the most that one import call takes (Code 209 beyond)
SLICE_ROWS = 48 * BATCH_ROWS  # whole rounds of calls, where 4, 6, 8, 12 or 16 are in flight
# The first slices are smaller, so that a run of a hundred thousand has work for several instances.
FIRST_SLICES, FIRST_SLICE_ROWS = 4, 24 * BATCH_ROWS
LEAVER_ROWS = 2000  # in a slice: each has an entry in the checkpoint


def rows_of(number: int) -> int:
    """The most rows that the slice with this number holds."""
    return FIRST_SLICE_ROWS if number < FIRST_SLICES else SLICE_ROWS


@dataclass(frozen=True)
class Slice:
    """The rows of a slice as they are sent: addresses, and subscribers as JSON. ``returning`` are the rows of those
    whom this export deleted."""

    emails: list[str]
    bodies: list[bytes]
    returning: frozenset[int] = frozenset()

    @property
    def batches(self) -> int:
        return -(-len(self.bodies) // BATCH_ROWS)


@dataclass(frozen=True)
class Leaver:
    email: str
    added: bool


def read_slice(work: Workspace, data: bytes) -> Slice:
    rows = _rows(work, data, "email, body, before")
    return Slice(
        [email for email, _, _ in rows],
        [body.encode() for _, body, _ in rows],
        frozenset(row for row, (_, _, before) in enumerate(rows) if before == State.DELETED),
    )


def read_leavers(work: Workspace, data: bytes) -> list[Leaver]:
    return [Leaver(email, added) for email, added in _rows(work, data, "email, added")]


def _rows(work: Workspace, data: bytes, columns: str) -> list[tuple[Any, ...]]:
    file = work.folder / "slice.parquet"
    file.write_bytes(data)
    rows = work.connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(file)]).fetchall()  # noqa: S608
    file.unlink()
    return rows
