"""The port of the clock, held to its contract on the machine, in memory and in the simulated world."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from thread_sides import TICK, in_the_simulated_world, on_the_machine

from local.memory.clock import ManualClock
from shared.ports.clock import Clock

Body = Callable[[Clock], None]
Run = Callable[[Body], None]
SETTING = timedelta(seconds=1)  # a machine's clock may be put right meanwhile


def machine(body: Body) -> None:
    on_the_machine(lambda _, clock: body(clock))


def memory(body: Body) -> None:
    body(ManualClock())


def simulated(body: Body) -> None:
    in_the_simulated_world(lambda _, clock: body(clock))


@pytest.fixture(params=(machine, memory, simulated))
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


def test_now_is_in_utc_with_its_zone(run: Run) -> None:
    def body(clock: Clock) -> None:
        assert clock.now().utcoffset() == timedelta(0)

    run(body)


def test_who_sleeps_finds_that_so_much_has_passed_for_both_times(run: Run) -> None:
    def body(clock: Clock) -> None:
        wall, seconds = clock.now(), clock.monotonic()
        clock.sleep(TICK)
        assert clock.monotonic() - seconds >= TICK * 0.99
        assert clock.now() - wall >= timedelta(seconds=TICK) - SETTING

    run(body)


def test_seconds_never_go_back_also_when_nobody_sleeps(run: Run) -> None:
    def body(clock: Clock) -> None:
        seen = []
        for _ in range(100):
            seen.append(clock.monotonic())
            clock.sleep(0)
        assert seen == sorted(seen)
        assert seen[-1] - seen[0] < 1

    run(body)
