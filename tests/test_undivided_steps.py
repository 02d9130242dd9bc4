"""Planning and audits end by themselves before the platform would end them, whatever takes so long."""

from collections.abc import Iterator

import requests
from memory_world import EXPORT, LIST, MemoryWorld, OneThread, Service
from world import balances, csv_rows, person

from local.memory.clock import ManualClock
from shared.record.run_record import Run
from shared.record.step_lock import LOCK_SECONDS
from shared.runs.cancel import cancel

FUNCTION_TIMEOUT = 30 * 60
READ_LIST = "active.json"


class Patient(OneThread):
    """Locks are renewed while the clock goes on."""

    def wait(self, clock: ManualClock, seconds: float) -> None:
        for _ in range(int(seconds / LOCK_SECONDS * 2)):
            clock.sleep(LOCK_SECONDS / 2)
            self.catch_up()


def slow(world: MemoryWorld, seconds: float, *, path: str) -> None:
    """Calls whose path holds ``path`` take so long."""
    threads = Patient()
    world.app = world.new_app(threads=threads)
    answer = Service.answer

    def slowly(request: requests.PreparedRequest) -> requests.Response:
        if path in request.path_url:
            threads.wait(world.clock, seconds)
        return answer(world.service, request)

    world.service.answer = slowly  # type: ignore[method-assign]


def a_world(**changes: object) -> MemoryWorld:
    world = MemoryWorld()
    world.put_rows(csv_rows(*map(person, range(40))), at="2026/11/23/0800")
    world.service.hold(*({"email": f"listed{n}@example.com", "state": "Active"} for n in range(1500)))
    world.save(**changes)
    return world


def ran(world: MemoryWorld, **arguments: bool) -> Run:
    """To its end; no step took longer than the platform lets it."""
    run = world.start(**arguments)
    begun = world.clock.monotonic()
    while world.pump(1):
        assert world.clock.monotonic() - begun < FUNCTION_TIMEOUT
        begun = world.clock.monotonic()
    assert world.errors == []
    return world.app.runs.get(EXPORT, run.id)


def test_segments_that_take_too_long_to_be_read_fail_the_planning() -> None:
    world = a_world()
    slow(world, 0, path="nothing")
    threads, chunks = world.app.threads, world.segments.chunks
    assert isinstance(threads, Patient)

    def slowly(name: str, etag: str | None = None) -> Iterator[bytes]:
        for byte in b"".join(chunks(name, etag)):
            threads.wait(world.clock, 60)
            yield bytes([byte])

    world.segments.chunks = slowly  # type: ignore[method-assign]

    run = ran(world)

    assert run.error and run.error.code == "planning_too_long"
    assert "fewer or smaller segments" in run.error.action
    assert world.service.imports == []


def test_a_list_that_takes_too_long_to_be_read_fails_the_planning() -> None:
    world = a_world(removals="unsubscribe")
    slow(world, 800, path=READ_LIST)

    run = ran(world)

    assert run.status == "failed"
    assert run.error and run.error.code == "list_too_slow"
    assert "in 25 minutes" in run.error.message
    assert balances(run)
    assert world.service.imports == []


def test_what_took_most_of_the_time_is_blamed() -> None:
    world = a_world(removals="unsubscribe")
    slow(world, 100, path=READ_LIST)
    threads, chunks = world.app.threads, world.segments.chunks
    assert isinstance(threads, Patient)

    def slowly(name: str, etag: str | None = None) -> Iterator[bytes]:
        threads.wait(world.clock, 1380)
        return chunks(name, etag)

    world.segments.chunks = slowly  # type: ignore[method-assign]

    run = ran(world)

    assert run.error and run.error.code == "planning_too_long"


def test_a_run_that_is_cancelled_ends_as_that_also_where_it_is_late() -> None:
    world = a_world()
    slow(world, 1600, path=f"{LIST}.json")
    run = world.start()
    answer = world.service.answer

    def cancelled(request: requests.PreparedRequest) -> requests.Response:
        cancel(world.app, EXPORT, run.id)
        return answer(request)

    world.service.answer = cancelled  # type: ignore[method-assign]
    world.pump()

    assert world.app.runs.get(EXPORT, run.id).status == "cancelled"


def test_so_does_a_service_that_is_slow_about_its_fields() -> None:
    world = a_world()
    slow(world, 1600, path=f"{LIST}.json")

    run = ran(world)

    assert run.error and run.error.code == "list_too_slow"


def test_an_export_that_keeps_everybody_does_not_read_the_list() -> None:
    world = a_world(removals="keep")
    slow(world, 800, path=READ_LIST)

    assert ran(world).status == "succeeded"


def test_an_audit_that_takes_too_long_ends() -> None:
    world = a_world()
    assert ran(world).status == "succeeded"
    before = world.service.listed()
    slow(world, 800, path=READ_LIST)

    run = ran(world, audit=True)

    assert run.error and run.error.code == "list_too_slow"
    assert world.service.listed() == before


def test_an_audit_that_is_slow_but_in_time_succeeds() -> None:
    world = a_world()
    assert ran(world).status == "succeeded"
    slow(world, 300, path=READ_LIST)

    assert ran(world, audit=True).status == "succeeded"
