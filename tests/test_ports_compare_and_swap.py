"""Read, decide, write, on Azurite and in memory: somebody else may be faster, and an answer may be lost on the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from port_sides import SIDES, side_of

from shared.errors import Changed, Conflict, TemporaryError
from shared.ports.blobs import Blob, Blobs
from shared.ports.compare_and_swap import MOST_ATTEMPTS, Swapped, compare_and_swap


@pytest.fixture(params=SIDES)
def blobs(request: pytest.FixtureRequest) -> Blobs:
    return side_of(request).new_blobs()


Decide = Callable[[bytes | None], bytes | None]


class AnswersLost:
    """The same blobs behind a line on which the answer to a write or to a deletion is lost ``times`` times: then the
    client asks again, as the SDK does. ``meanwhile`` is what happens before it does."""

    def __init__(self, blobs: Blobs, times: int = 1, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._blobs = blobs
        self._times = times
        self._meanwhile = meanwhile

    def write(self, *given: Any, **named: Any) -> str:
        return str(self._asked(lambda: self._blobs.write(*given, **named)))

    def delete(self, *given: Any, **named: Any) -> None:
        self._asked(lambda: self._blobs.delete(*given, **named))

    def _asked(self, call: Callable[[], object]) -> object:
        answer = call()
        if not self._times:
            return answer
        self._times -= 1
        self._meanwhile()
        return call()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)


class Decision:
    """Remembers what it was asked about; ``first`` is what somebody else does while it is made the first time."""

    def __init__(self, decide: Decide, first: Callable[[], object] = lambda: None):
        self._decide = decide
        self._first = first
        self.seen: list[bytes | None] = []

    def __call__(self, before: bytes | None) -> bytes | None:
        self.seen.append(before)
        if len(self.seen) == 1:
            self._first()
        return self._decide(before)


def swap(blobs: Blobs, decide: Decide, **named: Any) -> Swapped:
    return compare_and_swap(blobs, "name", lambda blob: decide(blob.data if blob else None), **named)


def one_more(before: bytes | None) -> bytes:
    return str(int(before or 0) + 1).encode()


def gone(_: bytes | None) -> None:
    return None


def assert_holds(blobs: Blobs, swapped: Swapped) -> None:
    read = blobs.read("name")
    assert (read.data if read else None, read.etag if read else "") == (swapped.data, swapped.etag)


def test_a_blob_that_is_not_there_is_made(blobs: Blobs) -> None:
    decision = Decision(one_more)
    swapped = swap(blobs, decision)
    assert (swapped.data, swapped.wrote, decision.seen) == (b"1", True, [None])
    assert_holds(blobs, swapped)


def test_a_blob_is_replaced_by_what_is_made_of_it(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    decision = Decision(one_more)
    swapped = swap(blobs, decision)
    assert (swapped.data, swapped.wrote, decision.seen) == (b"2", True, [b"1"])
    assert_holds(blobs, swapped)


@pytest.mark.parametrize("there", [True, False])
def test_what_is_left_as_it_is_is_not_written(blobs: Blobs, there: bool) -> None:
    etag = blobs.write("name", b"1") if there else ""
    swapped = swap(blobs, lambda before: before)
    assert swapped == Swapped(b"1" if there else None, etag, wrote=False)
    assert_holds(blobs, swapped)


def test_a_blob_is_deleted(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    assert swap(blobs, gone) == Swapped(None, "", wrote=True)
    assert blobs.read("name") is None


def test_the_decision_sees_the_blob_and_its_etag(blobs: Blobs) -> None:
    etag = blobs.write("name", b"1")
    seen: list[Blob | None] = []

    def decide(blob: Blob | None) -> bytes:
        seen.append(blob)
        return b"2"

    for name in ("name", "none"):
        compare_and_swap(blobs, name, decide)
    assert seen == [Blob(b"1", etag), None]


def test_a_decision_against_it_changes_nothing(blobs: Blobs) -> None:
    etag = blobs.write("name", b"1")

    def refuse(before: bytes | None) -> bytes | None:
        raise Conflict("no", "No.", "")

    with pytest.raises(Conflict):
        swap(blobs, refuse)
    assert_holds(blobs, Swapped(b"1", etag, wrote=False))


def test_metadata_is_made_of_what_is_written(blobs: Blobs) -> None:
    for _ in range(2):
        swap(blobs, one_more, metadata=lambda data: {"total": data.decode()})
    (info,) = blobs.list("", metadata=True)
    assert info.metadata["total"] == "2"


@pytest.mark.parametrize(
    ("before", "theirs"),
    [(None, b"5"), (b"1", b"5"), (b"1", b"1"), (b"1", None)],
    ids=["made", "written", "same", "deleted"],
)
def test_where_somebody_else_was_faster_it_is_decided_again(
    blobs: Blobs, before: bytes | None, theirs: bytes | None
) -> None:
    if before:
        blobs.write("name", before)
    decision = Decision(one_more, lambda: blobs.write("name", theirs) if theirs else blobs.delete("name"))

    swapped = swap(blobs, decision)

    assert decision.seen == [before, theirs]
    assert (swapped.data, swapped.wrote) == (one_more(theirs), True)
    assert_holds(blobs, swapped)


def test_what_somebody_else_wrote_first_is_not_deleted_unseen(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    decision = Decision(lambda before: None if before == b"1" else before, lambda: blobs.write("name", b"2"))
    swapped = swap(blobs, decision)
    assert (swapped.data, swapped.wrote, decision.seen) == (b"2", False, [b"1", b"2"])


def test_what_somebody_else_deleted_first_is_deleted(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    swapped = swap(blobs, Decision(gone, lambda: blobs.delete("name")))
    assert (swapped.data, swapped.etag) == (None, "")


def test_of_two_that_want_the_same_one_wrote_it(blobs: Blobs) -> None:
    decision = Decision(
        lambda before: before if before == b"drained" else b"drained", lambda: blobs.write("name", b"drained")
    )
    swapped = swap(blobs, decision)
    assert (swapped.data, swapped.wrote, len(decision.seen)) == (b"drained", False, 2)
    assert_holds(blobs, swapped)


def test_it_ends_where_somebody_else_is_always_faster(blobs: Blobs) -> None:
    asked = 0

    def decide(_: bytes | None) -> bytes:
        nonlocal asked
        asked += 1
        blobs.write("name", f"theirs {asked}".encode())
        return b"mine"

    with pytest.raises(Changed, match="name was changed"):
        swap(blobs, decide)
    assert asked == MOST_ATTEMPTS
    assert_holds(blobs, swap(blobs, lambda before: before))


def test_it_ends_where_the_blob_is_leased(blobs: Blobs) -> None:
    blobs.lease("name", 60)
    decision = Decision(one_more)
    with pytest.raises(Changed):
        swap(blobs, decision)
    assert decision.seen == [b""] * MOST_ATTEMPTS


def test_of_many_at_once_each_write_counts_once(blobs: Blobs) -> None:
    """Also where two of them want to write the very same."""
    with ThreadPoolExecutor(4) as pool:
        swapped = list(pool.map(lambda _: swap(blobs, one_more), range(16)))

    assert all(one.wrote for one in swapped)
    read = blobs.read("name")
    assert read
    assert read.data == b"16"


@pytest.mark.parametrize("before", [None, b"1"], ids=["new", "replaced"])
def test_a_write_whose_answer_was_lost_counts_once(blobs: Blobs, before: bytes | None) -> None:
    if before:
        blobs.write("name", before)
    decision = Decision(one_more)

    swapped = swap(AnswersLost(blobs), decision)

    assert (swapped.data, swapped.wrote, decision.seen) == (one_more(before), True, [before])
    assert_holds(blobs, swapped)


def test_a_deletion_whose_answer_was_lost_is_told_as_done(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    decision = Decision(gone)
    assert swap(AnswersLost(blobs), decision) == Swapped(None, "", wrote=True)
    assert decision.seen == [b"1"]


def test_what_was_written_and_replaced_before_it_was_known_is_decided_again(blobs: Blobs) -> None:
    line = AnswersLost(blobs, meanwhile=lambda: swap(blobs, lambda before: (before or b"") + b" b"))

    def mine(before: bytes | None) -> bytes | None:
        return before if before and b"a" in before.split() else (before or b"") + b" a"

    decision = Decision(mine)
    swapped = swap(line, decision)

    # Whoever decides sees what has become of it: only this tells that the first one was written.
    assert decision.seen == [None, b" a b"]
    assert (swapped.data, swapped.wrote) == (b" a b", False)


def test_what_was_deleted_and_made_anew_before_it_was_known_is_decided_again(blobs: Blobs) -> None:
    blobs.write("name", b"1")
    line = AnswersLost(blobs, meanwhile=lambda: blobs.write("name", b"2", new=True))
    decision = Decision(lambda before: None if before == b"1" else before)
    assert swap(line, decision).data == b"2"
    assert decision.seen == [b"1", b"2"]


def test_a_write_that_was_given_up_is_seen_by_whoever_asks_again(blobs: Blobs) -> None:
    def away() -> None:
        raise TemporaryError("storage_unavailable", "It does not answer.", "")

    with pytest.raises(TemporaryError):
        swap(AnswersLost(blobs, meanwhile=away), one_more)

    decision = Decision(lambda before: before)
    assert swap(blobs, decision).wrote is False
    assert decision.seen == [b"1"]
