"""A world in memory with messages in its queue: what lies there, and how some of it is lost."""

import dataclasses
from datetime import datetime

from memory_world import EXPORT, MemoryWorld

from shared.parts import App
from shared.record.run_record import Run
from shared.record.step_outcome import Message
from shared.runs.tick import tick

ROWS = 60  # three slices, in two chains


def newest(world: MemoryWorld, run: Run) -> Run:
    return world.app.runs.get(run.export, run.id)


def steps(world: MemoryWorld) -> list[tuple[str, int | None]]:
    """What lies in the queue."""
    orders = [Message.model_validate_json(one.text) for one in world.queue.lying()]
    return [(order.step, order.slice) for order in orders]


def lose_all(world: MemoryWorld) -> None:
    for one in world.queue.lying():
        del world.queue._messages[one.id]


def heart(world: MemoryWorld, run: Run) -> datetime:
    claim = world.app.claims.held(run.export)
    assert claim
    return claim.heartbeat


def somebody_begins_and_dies(world: MemoryWorld, run: Run) -> None:
    world.clock.sleep(1)
    world.app.claims.heartbeat(EXPORT, run.id, world.clock.now())
    world.clock.sleep(6 * 60)
    tick(world.app)


def dying_before_it_queues(world: MemoryWorld) -> App:
    """The app of a process that dies at the next message that it puts."""
    return dataclasses.replace(world.app, queue=_Dying(world.queue))


@dataclasses.dataclass
class _Dying:
    queue: object

    def __getattr__(self, name: str) -> object:
        return getattr(self.queue, name)

    def put(self, message: str, *, delay: int = 0) -> None:
        raise SystemExit
