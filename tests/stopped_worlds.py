"""A world in memory with a worker that stands still at one of its calls, and what must be true of it in the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import requests
from memory_world import API, EXPORT, LIST, InProcess, MemoryWorld, OneThread, Service
from world import balances, csv_rows, person

from local.simulation.workspaces import workspace
from shared.campaign_monitor.account import Accounts
from shared.parts import App
from shared.record import acknowledged
from shared.record.acknowledged import HELD
from shared.runs.tick import tick

CHANGES = ("POST", "DELETE")


@dataclass
class Stop:
    """Lets the world go on right before, or right after, the ``at``-th call that a worker makes to the outside."""

    at: int
    when: str
    goes_on: Callable[[], None]
    among: tuple[str, ...] = ("",)  # what the calls begin with that are counted
    calls: list[str] = field(default_factory=list)

    @property
    def happened(self) -> bool:
        return len(self.calls) >= self.at

    @property
    def where(self) -> str:
        return f"{self.when} call {self.at} of {len(self.calls)}, {self.calls[self.at - 1]}"

    @property
    def has_let_go_of_a_call(self) -> bool:
        """It stood still with a call on its way that changes the list: nobody can call that back."""
        return self.when == "before" and self.calls[self.at - 1].startswith(CHANGES)

    def call[T](self, what: str, effect: Callable[[], T]) -> T:
        if not what.startswith(self.among):
            return effect()
        self.calls.append(what)
        is_now = len(self.calls) == self.at
        if is_now and self.when == "before":
            self.goes_on()
        try:
            return effect()
        finally:
            if is_now and self.when == "after":
                self.goes_on()


class Watched:
    """A port, of which each call may be the one at which the worker is stopped."""

    def __init__(self, port: Any, stop: Stop) -> None:
        self._port = port
        self._stop = stop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            what = " ".join([name, *(one for one in args[:1] if isinstance(one, str))])
            given = self._stop.call(what, lambda: found(*args, **options))
            if name == "lease":
                return Watched(given, self._stop)
            return iter([*given]) if isinstance(given, Iterator) else given

        return call


class WatchedCalls(InProcess):
    """The same of the calls to Campaign Monitor: before it is a request that is on its way, after it an answer."""

    def __init__(self, service: Service, stop: Stop) -> None:
        super().__init__(service)
        self._stop = stop

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        what = f"{request.method} {request.path_url.partition('?')[0]}"
        return self._stop.call(what, lambda: self._service.answer(request))


def stopped_app(world: MemoryWorld, stop: Stop, threads: OneThread) -> App:
    return world.new_app(
        workspace=workspace,
        threads=threads,
        state=Watched(world.state, stop),
        catalog_blobs=Watched(world.catalog, stop),
        segments=Watched(world.segments, stop),
        queue=Watched(world.queue, stop),
        destinations=Accounts(API, world.clock, threads, lambda _: WatchedCalls(world.service, stop)),
    )


@dataclass
class Story:
    """A world, and which snapshot is the newest. In each everybody has moved, two have left, and two are new;
    ``returners`` are in every other one."""

    world: MemoryWorld
    generation: int = 0
    returners: tuple[int, ...] = (100,)

    @property
    def app(self) -> App:
        return self.world.app

    def copy(self) -> "Story":
        return replace(self, world=quick(self.world.copy()))

    def people(self) -> list[int]:
        first = 2 * self.generation
        return [*range(first, first + 24), *(self.returners if self.generation % 2 else ())]

    def refresh(self) -> None:
        self.generation += 1
        rows = csv_rows(*(person(number, City=f"City {self.generation}") for number in self.people()))
        self.world.put_rows(rows, at=f"2026/11/2{self.generation}/0900")

    def goes_on(self) -> None:
        self.world.pump()

    def is_refreshed_and_sent(self) -> None:
        """By a run of its own."""
        self.refresh()
        self.world.run()

    def must_be_right(self, *, but_for: Callable[[str], bool] = lambda _: False) -> None:
        """Once everything has been tried again that can be. ``but_for`` are addresses of whom it is not asked what the
        list holds of them."""
        self.goes_on()
        for _ in range(2):
            self.world.clock.sleep(6 * 60)
            tick(self.app)
            self.goes_on()
        runs = list(self.app.runs.newest(EXPORT))
        assert [run.status for run in runs if not run.ended or run.error] == []
        assert all(balances(run) for run in runs)
        assert self.app.claims.held(EXPORT) is None
        assert (self.world.queue.lying(), self.world.queue.poison_length()) == ([], 0)
        city = f"City {self.generation}"
        listed = {email: one["fields"]["City"] for email, one in self.world.service.active().items()}
        assert {email: found for email, found in listed.items() if not but_for(email)} == {
            f"user{number}@example.com": city for number in self.people() if not but_for(f"user{number}@example.com")
        }
        assert held(self.world) == undisturbed(self.generation, self.returners)


def quick(world: MemoryWorld) -> MemoryWorld:
    world.app = world.new_app(workspace=workspace)
    return world


def begun(returners: tuple[int, ...] = (100,)) -> Story:
    story = Story(quick(MemoryWorld()), returners=returners)
    story.world.save(removals="delete", max_removal_percent=50)
    story.is_refreshed_and_sent()
    assert [run.status for run in story.app.runs.newest(EXPORT)] == ["succeeded"]
    return story


def held(world: MemoryWorld) -> dict[str, int]:
    """Who is acknowledged as on the list, with the hash of what was sent."""
    with workspace() as work:
        file = work.folder / "acknowledged.parquet"
        assert world.state.download(acknowledged.name(EXPORT, LIST), file)
        rows = work.connection.execute(f"SELECT email, hash, state FROM '{file}'").fetchall()
    return {email: hash_ for email, hash_, state in rows if state in HELD}


@lru_cache
def undisturbed(generation: int, returners: tuple[int, ...]) -> dict[str, int]:
    story = begun(returners)
    while story.generation < generation:
        story.is_refreshed_and_sent()
    return held(story.world)


def at_step(step: str, slice_: int | None = None, *, returners: tuple[int, ...] = (100,)) -> Story:
    """A second run, whose next message is of that step."""
    story = begun(returners)
    story.refresh()
    story.world.start()
    wanted = f'"step":"{step}"'
    while wanted not in (text := story.world.queue.lying()[0].text) or (slice_ and f'"slice":{slice_}' not in text):
        story.world.pump(1)
    return story
