"""The queue as a process meets it over a network: messages doubled, late, lost, out of order, or seen by two."""

from collections.abc import Callable

from local.memory.queue import MemoryQueue
from local.simulation.scheduler import Passage, Scheduler
from local.simulation.weather import MINUTE, Weather
from shared.errors import DeploymentError, TemporaryError

# A message that meets a lock is put again, so that doubled ones would become ever more: beyond so many none is doubled.
MOST_WAITING = 20


class SimulatedQueue:
    """Keeps ``shared.ports.queue.Queue``. ``arrived`` is called with the seconds until a message can be seen."""

    def __init__(
        self, far: MemoryQueue, scheduler: Scheduler, weather: Weather, arrived: Callable[[float], None]
    ) -> None:
        self._far = far
        self._scheduler = scheduler
        self._weather = weather
        self._arrived = arrived

    @property
    def name(self) -> str:
        return self._far.name

    def probe(self) -> None:
        self._ask("probe", self._far.probe, Passage((0.001,), 0.002))

    def poison_length(self) -> int:
        return self._ask("poison_length", self._far.poison_length, Passage((0.001,), 0.002))

    def put(self, message: str, *, delay: int = 0) -> None:
        def store() -> None:
            late = self._lateness()
            if self._happens(self._weather.lost):
                self._scheduler.tell(f"a message is lost: {message}")
                return
            doubles = self._happens(self._weather.doubled) and len(self._far.lying()) < MOST_WAITING
            for _ in range(2 if doubles else 1):
                self._far.put(message, delay=delay + late)
                self._arrived(delay + late)

        self._ask(f"put {message}", store, self._passage())

    def _lateness(self) -> int:
        """Of a message that is late, or comes behind one that was put after it."""
        if self._happens(self._weather.delayed):
            return round(self._scheduler.random.uniform(1, 15) * MINUTE)
        return self._scheduler.random.choice([0, 0, 0, 1])

    def _passage(self) -> Passage:
        uniform, weather = self._scheduler.random.uniform, self._weather
        if weather.queue_away_until > self._scheduler.time:
            return Passage((), uniform(0.001, 0.01), _missing())
        there = uniform(0.001, 0.01)
        away = weather.storage_away_until - self._scheduler.time
        if away > 0:
            patience = uniform(10, 80)
            return Passage((), patience, _silent()) if patience < away else Passage((away + there,), away + 1)
        if self._happens(weather.unavailable):
            return Passage((), uniform(1, 30), _silent())
        if self._happens(weather.given_up):
            return Passage((there,), uniform(1, 30), _silent())
        if self._happens(weather.asked_again):
            again = uniform(0.5, 20)
            return Passage((there, again), again + 0.01)
        return Passage((there,), there + uniform(0.001, 0.01))

    def _ask[T](self, what: str, effect: Callable[[], T], passage: Passage) -> T:
        return self._scheduler.exchange(f"queue {what}", effect, passage)

    def _happens(self, probability: float) -> bool:
        return bool(probability) and self._scheduler.random.random() < probability


def _missing() -> DeploymentError:
    return DeploymentError("container_missing", "There is no queue.", "Make it.")


def _silent() -> TemporaryError:
    return TemporaryError("storage_unavailable", "The queue does not answer.", "Wait.")
