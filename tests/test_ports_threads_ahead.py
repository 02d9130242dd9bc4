"""What is made of the port of threads, on the machine and in the simulated world: a call per item, one item ahead."""

from collections.abc import Iterator

import pytest
from thread_sides import SIDES, TICK, Run, Seen

from shared.ports.clock import Clock
from shared.ports.threads import Threads, each, one_ahead


@pytest.fixture(params=SIDES)
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


def test_each_gives_the_answers_in_the_order_of_the_items(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)
        ticks = {"a": 4, "b": 1, "c": 2}
        assert each(threads, lambda name: seen.takes(name, ticks[name]), iter(ticks), at_once=2) == ["a", "b", "c"]
        assert seen.names == ["b", "c", "a"]
        assert seen.most_at_once == 2
        assert each(threads, seen.takes, [], at_once=2) == []

    run(body)


def test_each_raises_what_the_first_failing_item_raised(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)

        def call(name: str) -> None:
            seen.takes(name, {"b": 3}.get(name, 1))
            if name in "bc":
                raise LookupError(name)

        with pytest.raises(LookupError, match="b"):
            each(threads, call, "abcd", at_once=4)
        assert sorted(seen.names) == list("abcd")  # no thread outlives it

    run(body)


def test_one_ahead_gives_the_same_in_the_same_order(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        assert list(one_ahead(threads, iter("abc"))) == ["a", "b", "c"]
        assert list(one_ahead(threads, iter(()))) == []
        assert list(one_ahead(threads, iter([None, 0, ""]))) == [None, 0, ""]

    run(body)


def test_one_ahead_makes_one_while_the_one_before_is_used_and_no_more(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)

        def making() -> Iterator[str]:
            for name in "abcd":
                yield seen.takes(name)

        items = one_ahead(threads, making())
        assert next(items) == "a"
        clock.sleep(4 * TICK)
        assert seen.names == ["a", "b"]
        assert next(items) == "b"
        items.close()  # type: ignore[attr-defined]
        assert seen.names == ["a", "b", "c"]

    run(body)


def test_what_making_one_ahead_raises_is_raised_in_its_place(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        def making() -> Iterator[str]:
            yield "a"
            yield "b"
            raise LookupError

        items = one_ahead(threads, making())
        assert [next(items), next(items)] == ["a", "b"]
        with pytest.raises(LookupError):
            next(items)

    run(body)
