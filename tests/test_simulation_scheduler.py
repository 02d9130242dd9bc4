"""The clock, the strands and the threads of the simulated world."""

from collections.abc import Callable

import pytest

from local.simulation.scheduler import Passage, Process, Scheduler
from local.simulation.threads import SimulatedClock, SimulatedThreads

HOUR = 3600.0


class Bench:
    """One process, and what was seen of it: at which second, what."""

    def __init__(self, seed: int = 1) -> None:
        self.scheduler = Scheduler(seed)
        self.process = Process("one")
        self.threads = SimulatedThreads(self.scheduler, self.process)
        self.seen: list[tuple[float, str]] = []

    def see(self, what: str) -> None:
        self.seen.append((round(self.scheduler.time, 3), what))

    def play(self, *calls: Callable[[], object], until: float = HOUR) -> list[tuple[float, str]]:
        for call in calls:
            self.scheduler.spawn(self.process, call)
        self.scheduler.run(until)
        return self.seen

    def ask(self, what: str, *, there: float = 1, back: float = 2, error: BaseException | None = None) -> None:
        self.scheduler.exchange(what, lambda: self.see(f"{what} arrives"), Passage((there,), back, error))
        self.see(f"{what} answered")


def test_requests_arrive_and_are_answered_while_others_run() -> None:
    bench = Bench()
    seen = bench.play(lambda: bench.ask("a"), lambda: bench.ask("b", there=0.5, back=3))
    assert seen == [(0.5, "b arrives"), (1, "a arrives"), (2, "a answered"), (3, "b answered")]


def test_a_killed_process_never_goes_on_but_what_it_asked_for_arrives() -> None:
    bench = Bench()

    def call() -> None:
        try:
            bench.ask("a")
        finally:
            bench.see("let go")

    bench.scheduler.later(0.5, lambda: bench.scheduler.kill(bench.process))
    assert bench.play(call) == [(1, "a arrives")]
    bench.scheduler.close()
    assert bench.seen[1:] == [(HOUR, "let go")]


def test_a_stalled_process_goes_on_later_while_the_clock_runs() -> None:
    bench = Bench()
    clock = SimulatedClock(bench.scheduler, bench.process)
    bench.scheduler.later(0.5, lambda: bench.scheduler.stall(bench.process, 100))
    bench.play(lambda: bench.ask("a"), lambda: (clock.sleep(5), bench.see(f"{clock.monotonic():.1f}")))
    assert bench.seen == [(1, "a arrives"), (100.5, "a answered"), (100.5, "100.5")]


def test_an_answer_that_is_lost_is_told_in_its_place() -> None:
    bench = Bench()

    def call() -> None:
        with pytest.raises(TimeoutError):
            bench.ask("a", error=TimeoutError())
        bench.see("told")

    assert bench.play(call) == [(1, "a arrives"), (2, "told")]


def test_a_crew_has_so_many_at_work_and_leaving_it_waits_for_all() -> None:
    bench = Bench()

    def call() -> None:
        with bench.threads.crew(2) as crew:
            for name in "abc":
                crew.start(lambda name=name: bench.ask(name))
            bench.see("started")
        bench.see("left")

    seen = bench.play(call)
    assert seen[0] == (0, "started")
    assert [what for at, what in seen if at == 2] == ["a answered", "b answered"]
    assert seen[-2:] == [(4, "c answered"), (4, "left")]


def test_a_crew_waits_for_the_first_or_for_some_seconds() -> None:
    bench = Bench()

    def call() -> None:
        with bench.threads.crew(2) as crew:
            tasks = [crew.start(lambda: bench.ask("a", back=8)), crew.start(lambda: bench.ask("b", back=5))]
            bench.see(str(len(crew.wait(tasks, 3))))
            assert crew.wait(tasks) == {tasks[1]}
            bench.see("first")

    bench.play(call)
    assert [one for one in bench.seen if "arrives" not in one[1]] == [
        (3, "0"),
        (5, "b answered"),
        (5, "first"),
        (8, "a answered"),
    ]


def test_a_task_gives_what_its_call_raised() -> None:
    bench = Bench()

    def call() -> None:
        with bench.threads.crew(1) as crew:
            task = crew.start(lambda: 1 // 0)
            assert isinstance(task.error(), ZeroDivisionError)
            with pytest.raises(ZeroDivisionError):
                task.result()
        bench.see("good")

    assert bench.play(call) == [(0, "good")]


def test_repeating_ends_when_it_is_left_and_after_the_call_that_is_being_made() -> None:
    bench = Bench()

    def beat() -> bool:
        bench.ask("beat", back=3)
        return True

    def call() -> None:
        with bench.threads.repeat(beat, 10):
            SimulatedClock(bench.scheduler).sleep(24)
        bench.see("left")

    seen = [one for one in bench.play(call) if "arrives" not in one[1]]
    assert seen == [(13, "beat answered"), (26, "beat answered"), (26, "left")]


def test_a_condition_is_a_lock_until_it_is_waited_for() -> None:
    bench = Bench()
    condition = bench.threads.condition()
    ready = False

    def waits() -> None:
        with condition:
            while not ready:
                condition.wait()
            bench.see("woken")

    def notifies() -> None:
        nonlocal ready
        SimulatedClock(bench.scheduler).sleep(4)
        with condition:
            ready = True
            condition.notify_all()
            bench.ask("slow")
        bench.see("out")

    assert bench.play(waits, notifies)[1:] == [(6, "slow answered"), (6, "out"), (6, "woken")]


def test_what_is_raised_and_not_caught_is_kept() -> None:
    bench = Bench()
    bench.play(lambda: 1 // 0)
    assert [(name, type(error)) for name, error in bench.scheduler.crashes] == [("one", ZeroDivisionError)]


def test_the_same_seed_has_the_same_trace() -> None:
    def trace(seed: int) -> str:
        bench = Bench(seed)
        uniform = bench.scheduler.random.uniform
        bench.play(*[lambda: bench.ask("a", there=uniform(0, 1), back=uniform(1, 2)) for _ in range(5)])
        return bench.scheduler.trace

    assert trace(1) == trace(1) != trace(2)
