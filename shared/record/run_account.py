"""The account of a run: every row is in one place of it, at every moment after planning.

rows_read = malformed + invalid + duplicate + unchanged + to_send
to_send   = added + updated + refused + unsent
"""

from shared.record.batch_results import Totals
from shared.record.run_record import Counts, Progress, Run


def must_balance(counts: Counts) -> Counts:
    """Raises AssertionError: an account that does not balance is a defect, and must not be told as if it were true."""
    assert counts.rows_read == (
        counts.malformed + counts.invalid + counts.duplicate + counts.unchanged + counts.to_send
    ), f"rows_read: {counts}"
    assert counts.to_send == counts.added + counts.updated + counts.refused + counts.unsent, f"to_send: {counts}"
    assert min(counts.model_dump().values()) >= 0, f"less than none: {counts}"
    return counts


def counted(run: Run, totals: Totals) -> Run:
    """The run with what its batches have come to. What has no answer is unsent."""
    answered = totals.added + totals.updated + totals.refused
    counts = run.counts.model_copy(
        update={
            "added": totals.added,
            "updated": totals.updated,
            "refused": totals.refused,
            "unsent": run.counts.to_send - answered,
            "removed": totals.removed,
            "not_removed": totals.not_removed,
        }
    )
    progress = Progress(batches=run.progress.batches, done=totals.done)
    return run.model_copy(update={"counts": must_balance(counts), "progress": progress})
