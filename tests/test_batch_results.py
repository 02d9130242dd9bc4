"""What became of each batch, as it is saved: what was answered counts once, whoever saves it."""

from memory_world import EXPORT, MemoryWorld

from shared.record.batch_results import BatchResult, SliceResult
from shared.record.run_record import Run


def test_a_batch_counts_once_and_by_the_most_that_was_answered_of_it() -> None:
    results = MemoryWorld().app.results(Run.model_construct(export=EXPORT, id="1", attempt=None))
    little, more = (BatchResult(added=2, unanswered=(2, 3)), BatchResult(added=3, unanswered=(3,)))

    results.save(0, SliceResult.of(2, {0: more, 1: little}))
    assert results.save(0, SliceResult.of(2, {0: little, 1: more})).partly == {0: more, 1: more}

    results.save(0, SliceResult.of(2, {0: BatchResult(added=4)}))
    saved = results.save(0, SliceResult.of(2, {0: more}))
    assert saved.done == {0: BatchResult(added=4)}
    assert saved.partly == {1: more}
    assert not saved.complete
    ((_, totals),) = results.totals()
    assert totals == saved.totals
    assert (totals.done, totals.added) == (1, 7)


def test_what_a_version_that_knows_no_partly_answered_batches_has_sent_whole_counts_alone() -> None:
    left = SliceResult(batches=1, done={0: BatchResult(updated=4)}, partly={0: BatchResult(added=2, unanswered=(2, 3))})

    assert left.answered == left.done
    assert (left.totals.added, left.totals.updated) == (0, 4)
