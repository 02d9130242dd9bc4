"""The two that keep the port of threads, the machine's and the simulated world's, for the suites that hold both to its
contract."""

from collections.abc import Callable

from local.simulation.scheduler import Process, Scheduler
from local.simulation.threads import SimulatedClock, SimulatedThreads
from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.ports.clock import Clock
from shared.ports.threads import Threads

TICK = 0.04  # seconds: as long as one thing takes
HOUR = 3600.0

Body = Callable[[Threads, Clock], None]
Run = Callable[[Body], None]


def on_the_machine(body: Body) -> None:
    body(SystemThreads(), SystemClock())


def in_the_simulated_world(body: Body) -> None:
    scheduler, process, ended = Scheduler(1), Process("one"), []

    def strand() -> None:
        body(SimulatedThreads(scheduler, process), SimulatedClock(scheduler, process))
        ended.append(True)

    scheduler.spawn(process, strand)
    scheduler.run(HOUR)
    for _, error in scheduler.crashes:
        raise error
    assert ended, "it waits for ever"


SIDES = (on_the_machine, in_the_simulated_world)


class Seen:
    """What has happened, told by several threads, and how much of it at once."""

    def __init__(self, threads: Threads, clock: Clock) -> None:
        self._clock = clock
        self._lock = threads.condition()
        self._at_once = 0
        self.most_at_once = 0
        self.names: list[str] = []

    def takes(self, name: str, ticks: float = 1) -> str:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._clock.sleep(ticks * TICK)
        with self._lock:
            self._at_once -= 1
            self.names.append(name)
        return name
