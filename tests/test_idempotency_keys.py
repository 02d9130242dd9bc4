"""The run that a key stands for: the same request, or the same occasion, starts one run and no second."""

import pytest
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from shared.errors import Conflict
from shared.record.run_record import Run
from shared.runs.start import start
from shared.runs.tick import tick

KEY = "asked nightly"


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save()
    world.put_rows(csv_rows(*map(person, range(5))), at="2026/11/23/0800")
    return world


def asked(world: MemoryWorld, **request: object) -> Run:
    """The run of whoever asks with KEY."""
    return start(world.app, EXPORT, "on-demand", key=KEY, **request)[0]  # type: ignore[arg-type]


class Died(BaseException):
    """The process is gone: nothing of it handles that."""


def dies_on_the_way_to_a_claim(world: MemoryWorld) -> None:
    """A tick that leaves the record of a run, which does not hold its export."""

    class Storage:
        def __getattr__(self, name: str) -> object:
            return getattr(world.state, name)

        def read(self, name: str) -> object:
            if name.endswith("active.json") and any("/run.json" in one.name for one in world.state.list("runs/")):
                raise Died
            return world.state.read(name)

    with pytest.raises(Died):
        tick(world.new_app(state=Storage()))


def test_the_same_request_is_known_again_when_the_mode_of_the_export_was_changed(world: MemoryWorld) -> None:
    run = asked(world)
    world.save(mode="everything")

    assert asked(world).id == run.id
    for other in ("changes", "everything"):
        with pytest.raises(Conflict, match="idempotency_key_reused"):
            asked(world, mode=other)


def test_a_mode_that_was_asked_for_is_part_of_the_request(world: MemoryWorld) -> None:
    run = asked(world, mode="everything")

    assert asked(world, mode="everything").id == run.id
    world.save(mode="everything")
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        asked(world)


def test_what_a_dead_tick_began_is_begun_by_the_next_one_though_the_mode_was_changed(world: MemoryWorld) -> None:
    world.save(schedule="refresh")
    dies_on_the_way_to_a_claim(world)
    assert len(world.app.runs.ids(EXPORT)) == 1
    world.save(schedule="refresh", mode="everything")
    world.clock.sleep(900)

    (run,) = tick(world.app)

    assert run.mode == "everything"
