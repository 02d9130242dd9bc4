"""A queue that takes no message for a while, and an export whose runs are queued in it."""

import json

import pytest
from memory_world import MemoryWorld
from world import csv_rows, person

from local.memory.queue import MemoryQueue
from shared.errors import DeploymentError, ExportError, TemporaryError
from shared.record import telemetry

AWAY = TemporaryError("storage_unavailable", "It does not answer.", "Wait.")
MISSING = DeploymentError("container_missing", "There is no queue.", "Deploy again.")


class Refusing(MemoryQueue):
    """Raises ``error`` for each message, as long as there is one; where it ``stores``, the answer alone is lost."""

    error: ExportError | None = None
    stores = False
    asked = 0

    def put(self, message: str, *, delay: int = 0) -> None:
        self.asked += 1
        if self.error is None or self.stores:
            super().put(message, delay=delay)
        if self.error:
            raise self.error


def a_world() -> MemoryWorld:
    """With a refresh of five people that is due."""
    world = MemoryWorld()
    world.queue = Refusing("export-work", world.clock)
    world.app = world.new_app()
    world.put_rows(csv_rows(*map(person, range(5))), at="2026/11/23/0800")
    world.save(schedule="refresh")
    return world


def refuse(world: MemoryWorld, error: ExportError | None, *, stores: bool = False) -> None:
    assert isinstance(world.queue, Refusing)
    world.queue.error, world.queue.stores = error, stores


def lose_messages(world: MemoryWorld) -> None:
    while taken := world.take():
        world.queue.done(taken)


def later(world: MemoryWorld, *, seconds: float) -> None:
    world.clock.sleep(seconds)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None]]:
    """Each event, and its error."""
    said = [json.loads(one.getMessage()) for one in caplog.records if one.name == telemetry.__name__]
    return [(one["event"], one.get("error")) for one in said]
