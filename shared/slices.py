"""Slices: what the plan hands to the sending steps, up to 50 batches in a Parquet file.

Columns: segment and partition (positions in the run's list of snapshots), line, customer_id, email (as it is sent),
hash (of the subscriber as it is sent), body (the subscriber as JSON).
"""

from dataclasses import dataclass

from shared.database import Workspace

BATCH_ROWS = 1000  # the most that one import call takes (Code 209 beyond)
SLICE_ROWS = 50 * BATCH_ROWS


@dataclass(frozen=True)
class Slice:
    """The rows of a slice as they are sent: addresses, and subscribers as JSON."""

    emails: list[str]
    bodies: list[bytes]

    @property
    def batches(self) -> int:
        return -(-len(self.bodies) // BATCH_ROWS)


def read_slice(work: Workspace, data: bytes) -> Slice:
    file = work.folder / "slice.parquet"
    file.write_bytes(data)
    rows = work.connection.execute("SELECT email, body FROM read_parquet(?)", [str(file)]).fetchall()
    file.unlink()
    return Slice([email for email, _ in rows], [body.encode() for _, body in rows])
