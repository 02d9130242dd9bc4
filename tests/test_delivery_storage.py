"""Storage that changes, loses or refuses things: the run ends with a reason, or goes on, and the account holds."""

import pytest
from world import World, balances, csv_rows, person

from shared.record.blob_places import slice_name
from shared.record.run_record import Problem
from shared.record.slices import Sizes
from shared.runs.cancel import cancel

ROWS = Sizes().first_slice + Sizes().rest + 2


@pytest.fixture
def world(world: World) -> World:
    world.clock.sleeps = False
    world.put_rows(csv_rows(*(person(number) for number in range(3))))
    world.save()
    return world


def test_a_slice_that_vanished_ends_the_run_with_what_to_do(world: World) -> None:
    run = world.start()
    world.pump(1)
    world.app.state.delete(slice_name(world.app.runs.get(run.export, run.id), 0))

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "slice_missing"
    assert "again" in run.error.action
    assert balances(run)
    assert world.app.claims.held(run.export) is None


def test_a_slice_that_vanished_after_it_was_sent_costs_the_acknowledgement_not_the_account(world: World) -> None:
    run = world.start()
    world.pump(2)
    world.app.state.delete(slice_name(world.app.runs.get(run.export, run.id), 0))

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.counts.added == 3
    assert balances(run)
    assert world.run().counts.updated == 3


def test_an_export_that_was_removed_while_it_runs_ends_its_run(world: World) -> None:
    run = world.start()
    world.app.catalog.remove(world.app.catalog.export(run.export))

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "export_not_found"


def test_a_container_of_segments_that_is_missing_is_named(world: World) -> None:
    world.segments.delete_container()

    run = world.run()

    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "container_missing"
    assert "SEGMENT_CONTAINER" in run.error.action


def test_two_writers_of_one_record_lose_nothing(world: World) -> None:
    run = world.start()
    seen = 0

    def change_meanwhile(newest: object) -> object:
        nonlocal seen
        seen += 1
        if seen == 1:
            cancel(world.app, run.export, run.id)
        return newest.model_copy(update={"failure": Problem(code="x", message="x", action="x")})

    changed = world.app.runs.change(run.export, run.id, change_meanwhile)

    assert seen == 2
    assert changed.cancel_requested
    assert changed.failure is not None
