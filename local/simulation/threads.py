"""The ports of clock and threads, as one simulated process has them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType

from local.simulation.scheduler import Closed, Process, Scheduler, Strand
from shared.ports.threads import Task

_Waiting = list[tuple[Strand, int]]


class SimulatedClock:
    """Keeps ``shared.ports.clock.Clock``. Wall clocks are apart by the skew of their process."""

    def __init__(self, scheduler: Scheduler, process: Process | None = None) -> None:
        self._scheduler = scheduler
        self._skew = timedelta(seconds=process.skew if process else 0)

    def now(self) -> datetime:
        return self._scheduler.now() + self._skew

    def monotonic(self) -> float:
        return self._scheduler.time

    def sleep(self, seconds: float) -> None:
        self._scheduler.sleep(seconds)


class SimulatedTask[T]:
    """``number`` is its hash too, so that a set of tasks has the same order each time."""

    def __init__(self, scheduler: Scheduler, number: int) -> None:
        self.ended = False
        self._scheduler = scheduler
        self._number = number
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiting: _Waiting = []

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other

    def run(self, call: Callable[[], T]) -> None:
        try:
            self._value = call()
        except Closed:
            raise
        except BaseException as error:  # it is whoever asks for the result
            self._error = error
        self.ended = True
        _wake(self._scheduler, self._waiting)

    def result(self) -> T:
        error = self.error()
        if error is not None:
            raise error
        return self._value  # type: ignore[return-value]

    def error(self) -> BaseException | None:
        while not self.ended:
            self.woken_at_end()
            self._scheduler.park()
        return self._error

    def woken_at_end(self) -> None:
        """The running strand is, if it still waits then."""
        me = self._scheduler.me()
        self._waiting.append((me, me.ticket))


class SimulatedCrew:
    def __init__(self, scheduler: Scheduler, process: Process, most: int) -> None:
        self._scheduler = scheduler
        self._process = process
        self._free = most
        self._queue: list[Callable[[], None]] = []
        self._tasks: list[SimulatedTask[object]] = []

    def start[T](self, call: Callable[[], T]) -> SimulatedTask[T]:
        task: SimulatedTask[T] = SimulatedTask(self._scheduler, len(self._tasks))
        self._tasks.append(task)  # type: ignore[arg-type]
        self._queue.append(lambda: task.run(call))
        if self._free:
            self._free -= 1
            self._scheduler.spawn(self._process, self._work)
        return task

    def wait[T](self, tasks: Collection[Task[T]], seconds: float | None = None) -> set[Task[T]]:
        own = [task for task in tasks if isinstance(task, SimulatedTask)]
        assert len(own) == len(tasks), "tasks of this crew"
        scheduler = self._scheduler
        end = None if seconds is None else scheduler.time + seconds
        while not any(task.ended for task in own) and (end is None or scheduler.time < end):
            for task in own:
                task.woken_at_end()
            if end is not None:
                me = scheduler.me()
                scheduler.wake(me, me.ticket, delay=end - scheduler.time)
            scheduler.park()
        return {task for task in own if task.ended}

    def join(self) -> None:
        for task in self._tasks:
            task.error()

    def _work(self) -> None:
        while self._queue:
            self._queue.pop(0)()
        self._free += 1


class SimulatedCondition:
    """Its lock may be entered again by the strand that has it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: Strand | None = None
        self._depth = 0
        self._entering: _Waiting = []
        self._waiting: _Waiting = []

    def __enter__(self) -> "SimulatedCondition":
        me = self._scheduler.me()
        while self._owner not in (None, me):
            self._entering.append((me, me.ticket))
            self._scheduler.park()
        self._owner = me
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            _wake(self._scheduler, self._entering)

    def wait(self, timeout: float | None = None) -> None:
        me, depth = self._scheduler.me(), self._depth
        self._waiting.append((me, me.ticket))
        if timeout is not None:
            self._scheduler.wake(me, me.ticket, delay=max(0.0, timeout))
        self._depth, self._owner = 0, None
        _wake(self._scheduler, self._entering)
        self._scheduler.park()
        self.__enter__()
        self._depth = depth

    def notify_all(self) -> None:
        _wake(self._scheduler, self._waiting)


class SimulatedThreads:
    """Keeps ``shared.ports.threads.Threads`` for one process."""

    def __init__(self, scheduler: Scheduler, process: Process) -> None:
        self._scheduler = scheduler
        self._process = process

    @contextmanager
    def crew(self, most: int) -> Iterator[SimulatedCrew]:
        crew = SimulatedCrew(self._scheduler, self._process, most)
        try:
            yield crew
        finally:
            crew.join()

    @contextmanager
    def repeat(self, call: Callable[[], bool], seconds: float) -> Iterator[None]:
        left = SimulatedCondition(self._scheduler)
        over = ended = False

        def again() -> None:
            nonlocal ended
            while not over:
                with left:
                    left.wait(seconds)
                if over or not call():
                    break
            ended = True
            left.notify_all()

        self._scheduler.spawn(self._process, again)
        try:
            yield
        finally:
            over = True
            left.notify_all()
            while not ended:
                with left:
                    left.wait()

    def condition(self) -> SimulatedCondition:
        return SimulatedCondition(self._scheduler)


def _wake(scheduler: Scheduler, waiting: _Waiting) -> None:
    woken, waiting[:] = list(waiting), []
    for strand, ticket in woken:
        scheduler.wake(strand, ticket)
