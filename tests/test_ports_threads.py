"""The port of threads, held to its contract on the machine and in the simulated world: crews, repetition, condition."""

from itertools import count, pairwise

import pytest
from thread_sides import SIDES, TICK, Run, Seen

from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.ports.clock import Clock
from shared.ports.threads import Threads, each


@pytest.fixture(params=SIDES)
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


def test_a_crew_has_so_many_at_work(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)
        with threads.crew(2) as crew:
            tasks = [crew.start(lambda name=name: seen.takes(name)) for name in "abcdef"]
            assert [task.result() for task in tasks] == list("abcdef")
        assert seen.most_at_once == 2

    run(body)


def test_a_crew_of_one_works_in_order(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)
        with threads.crew(1) as crew:
            for name in "abc":
                crew.start(lambda name=name: seen.takes(name))
        assert (seen.names, seen.most_at_once) == (list("abc"), 1)

    run(body)


@pytest.mark.parametrize("failing", [True, False])
def test_leaving_a_crew_waits_for_all_that_were_started(run: Run, failing: bool) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)

        def with_crew() -> None:
            with threads.crew(2) as crew:
                for name in "abcd":
                    crew.start(lambda name=name: seen.takes(name))
                if failing:
                    raise LookupError

        if failing:
            with pytest.raises(LookupError):
                with_crew()
        else:
            with_crew()
        assert sorted(seen.names) == list("abcd")

    run(body)


def test_a_task_gives_what_its_call_gave_or_raised(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        with threads.crew(2) as crew:
            good, bad = crew.start(lambda: 1), crew.start(lambda: 1 // 0)
            assert good.error() is None
            assert (good.result(), good.result()) == (1, 1)
            assert isinstance(bad.error(), ZeroDivisionError)
            with pytest.raises(ZeroDivisionError):
                bad.result()
            assert crew.start(lambda: 2).result() == 2  # its thread goes on

    run(body)


def test_what_nobody_asks_for_is_raised_nowhere(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        with threads.crew(1) as crew:
            task = crew.start(lambda: 1 // 0)
        assert isinstance(task.error(), ZeroDivisionError)

    run(body)


def test_waiting_gives_the_first_that_ended(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)
        with threads.crew(3) as crew:
            slow = crew.start(lambda: seen.takes("slow", 6))
            quick = crew.start(lambda: seen.takes("quick", 1))
            bad = crew.start(lambda: seen.takes("bad", 3) and 1 // 0)
            assert crew.wait([slow, quick]) == {quick}
            assert crew.wait([slow, bad]) == {bad}
            assert seen.names == ["quick", "bad"]
            assert crew.wait({slow}) == {slow}
            assert crew.wait([slow, quick, bad]) == {slow, quick, bad}

    run(body)


def test_waiting_ends_after_its_seconds(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        with threads.crew(2) as crew:
            slow = crew.start(lambda: clock.sleep(8 * TICK))
            begun = clock.monotonic()
            assert crew.wait([slow], 2 * TICK) == set()
            assert 2 * TICK <= clock.monotonic() - begun < 7 * TICK
            assert crew.wait([slow], 0) == set()
            assert crew.wait([slow], 100) == {slow}
            assert clock.monotonic() - begun < 50

    run(body)


def test_a_call_may_have_a_crew_of_its_own(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        def inner(name: str) -> str:
            return "".join(each(threads, lambda letter: name + letter, "xy", at_once=2))

        assert each(threads, inner, "ab", at_once=2) == ["axay", "bxby"]

    run(body)


def test_repeating_goes_on_until_it_is_left(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        beats: list[float] = []

        def beat() -> bool:
            beats.append(clock.monotonic())
            return True

        begun = clock.monotonic()
        with threads.repeat(beat, TICK):
            clock.sleep(5.5 * TICK)
        made = len(beats)
        clock.sleep(3 * TICK)

        assert 2 <= made <= (clock.monotonic() - begun) / TICK
        assert len(beats) == made
        assert all(later - earlier > 0.9 * TICK for earlier, later in pairwise([begun, *beats]))  # not at once

    run(body)


def test_repeating_ends_when_the_call_says_so(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        numbers = count(1)
        with threads.repeat(lambda: next(numbers) < 3, TICK):
            clock.sleep(8 * TICK)
        assert next(numbers) == 4

    run(body)


def test_leaving_a_repetition_does_not_wait_for_the_next_time(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        begun = clock.monotonic()
        with threads.repeat(lambda: True, 1000):
            clock.sleep(TICK)
        assert clock.monotonic() - begun < 100

    run(body)


def test_leaving_a_repetition_waits_for_the_call_that_is_being_made(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen = Seen(threads, clock)
        with threads.repeat(lambda: bool(seen.takes("beat", 5)), TICK):
            clock.sleep(3 * TICK)
            assert seen.names == []
        assert seen.names == ["beat"]

    run(body)


def test_what_is_raised_beside_a_repetition_is_raised(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        with pytest.raises(LookupError), threads.repeat(lambda: True, TICK):
            raise LookupError

    run(body)


def test_a_condition_is_a_lock(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        seen, condition = Seen(threads, clock), threads.condition()

        def alone(name: str) -> None:
            with condition:
                seen.takes(name)

        each(threads, alone, "abcd", at_once=4)
        assert seen.most_at_once == 1

    run(body)


def test_a_condition_wakes_all_who_wait_for_it(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        condition = threads.condition()
        ready, woken = False, []

        def waits(name: str) -> None:
            with condition:
                while not ready:
                    condition.wait()
                woken.append(name)

        with threads.crew(2) as crew:
            for name in "ab":
                crew.start(lambda name=name: waits(name))
            clock.sleep(2 * TICK)
            assert woken == []
            with condition:
                ready = True
                condition.notify_all()
        assert sorted(woken) == ["a", "b"]

    run(body)


def test_a_condition_is_waited_for_so_many_seconds(run: Run) -> None:
    def body(threads: Threads, clock: Clock) -> None:
        condition, begun = threads.condition(), clock.monotonic()
        with condition:
            condition.wait(2 * TICK)
            condition.wait(0)
        assert 2 * TICK <= clock.monotonic() - begun < 50

    run(body)


def test_on_the_machine_what_a_repeated_call_raises_is_raised_where_it_is_left() -> None:
    beside: list[str] = []
    with pytest.raises(ZeroDivisionError), SystemThreads().repeat(lambda: bool(1 // 0), TICK):
        SystemClock().sleep(3 * TICK)
        beside.append("went on")
    assert beside == ["went on"]


def test_on_the_machine_waiting_for_nothing_is_over_at_once() -> None:
    with SystemThreads().crew(1) as crew:
        assert crew.wait([]) == set()
        assert crew.wait([], 100) == set()
