"""Slices: what the plan hands to the sending steps, mostly 48 batches in a Parquet file.

Columns: segment and partition (positions in the run's list of snapshots), line, customer_id, email (as it is sent),
hash (of the subscriber as it is sent), body (the subscriber as JSON), before (the ``acknowledged.State`` that it had).

Behind them come slices of leavers, one call each. Columns: email, added (whether this export put it on the list: the
others are let go without a call).
"""

import json
from dataclasses import dataclass
from typing import Any

from shared.acknowledged import State
from shared.database import Workspace

BATCH_ROWS = 1000  # the most that one import call takes (Code 209 beyond)
SLICE_ROWS = 48 * BATCH_ROWS  # whole rounds of calls, where 4, 6, 8, 12 or 16 are in flight
# The first slices are smaller, so that a run of a hundred thousand has work for several instances.
FIRST_SLICES, FIRST_SLICE_ROWS = 4, 24 * BATCH_ROWS
REST_ROWS = 8 * BATCH_ROWS  # so few at the end go with the slice before: a step of their own takes longer
LEAVER_ROWS = 2000  # in a slice: each has an entry in the checkpoint


def rows_of(number: int, waiting: int) -> int:
    """How many rows the slice with this number holds, where so many are ``waiting`` and no more come."""
    rows = FIRST_SLICE_ROWS if number < FIRST_SLICES else SLICE_ROWS
    return waiting if waiting <= rows + REST_ROWS else rows


@dataclass(frozen=True)
class Slice:
    """The rows of a slice as they are sent: subscribers as JSON. ``returning`` are the rows of those whom this export
    deleted."""

    bodies: list[bytes]
    returning: frozenset[int] = frozenset()

    @property
    def batches(self) -> int:
        return -(-len(self.bodies) // BATCH_ROWS)

    def email(self, row: int) -> str:
        return str(json.loads(self.bodies[row])["EmailAddress"])


@dataclass(frozen=True)
class Leaver:
    email: str
    added: bool


def read_slice(work: Workspace, data: bytes) -> Slice:
    # As bytes, and without the columns that are seldom needed: making Python's objects is what takes the time here.
    bodies = _rows(work, data, "encode(body)")
    returning = _rows(work, data, "file_row_number", f"before = {State.DELETED:d}")
    return Slice([body for (body,) in bodies], frozenset(row for (row,) in returning))


def read_leavers(work: Workspace, data: bytes) -> list[Leaver]:
    return [Leaver(email, added) for email, added in _rows(work, data, "email, added")]


def _rows(work: Workspace, data: bytes, columns: str, which: str = "true") -> list[tuple[Any, ...]]:
    file = work.folder / "slice.parquet"
    file.write_bytes(data)
    query = f"SELECT {columns} FROM read_parquet(?, file_row_number = true) WHERE {which}"  # noqa: S608
    rows = work.connection.execute(query, [str(file)]).fetchall()
    file.unlink()
    return rows
