"""Slices: what the plan hands to the sending steps, mostly 48 batches in a Parquet file.

Columns: segment and partition (positions in the run's list of snapshots), line, customer_id, email (as it is sent),
hash (of the subscriber as it is sent), body (the subscriber as JSON), before (the ``acknowledged.State`` that it had).

Behind them come slices of leavers, one call each. Columns: email, added (whether this export put it on the list: the
others are let go without a call).
"""

import json
from dataclasses import dataclass
from typing import Any

from shared.record.acknowledged import State
from shared.record.duckdb_workspace import Workspace


@dataclass(frozen=True)
class Sizes:
    """In rows. ``batch`` is one import call, which takes 1,000 (Code 209 beyond). The ``first_slices`` are smaller, so
    that a run of a hundred thousand has work for several instances; a ``rest`` at the end goes with the slice before,
    since a step of its own takes longer. Of ``leavers`` each has an entry in the checkpoint of the slice."""

    batch: int = 1000
    slice: int = 48_000  # whole rounds of calls, where 4, 6, 8, 12 or 16 are in flight
    first_slices: int = 4
    first_slice: int = 24_000
    rest: int = 8_000
    leavers: int = 2_000

    def rows_of(self, number: int, waiting: int) -> int:
        """How many rows the slice with this number holds, where so many are ``waiting`` and no more come."""
        rows = self.first_slice if number < self.first_slices else self.slice
        return waiting if waiting <= rows + self.rest else rows

    def batches(self, rows: int) -> int:
        return -(-rows // self.batch)


@dataclass(frozen=True)
class Slice:
    """The rows of a slice as they are sent: subscribers as JSON. ``returning`` are the rows of those whom this export
    deleted."""

    bodies: list[bytes]
    returning: frozenset[int] = frozenset()

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
