"""One world, from its seed to its rest: it is made, lives for some days through storms, and comes to a calm end."""

import gc
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from local.memory.blobs import MemoryBlobs
from local.memory.queue import MemoryQueue
from local.memory.vault import MemoryVault
from local.simulation.ground import Ground
from local.simulation.history import History
from local.simulation.hosts import Platform
from local.simulation.life import Life
from local.simulation.messages import SimulatedQueue
from local.simulation.network import API, SimulatedAdapter
from local.simulation.operator_hands import Operator
from local.simulation.people import DOMAIN, Population
from local.simulation.plans import FIELDS, enriched, plan
from local.simulation.records import Records, table_of
from local.simulation.refreshes import Insights, Refresh
from local.simulation.scheduler import Process, Scheduler
from local.simulation.service import Service
from local.simulation.storage import SimulatedBlobs
from local.simulation.threads import SimulatedClock, SimulatedThreads
from local.simulation.weather import HOUR, MINUTE, Weather, calm, turn
from local.simulation.workspaces import workspace
from shared import settings
from shared.campaign_monitor.account import Accounts
from shared.parts import App
from shared.record.slices import Sizes
from shared.runs.tick import tick
from shared.runs.worker import work

HARD, HARD_FROM = (0, 2, 4), 1000  # of seven worlds, from that one on: the ground is hard; none that is kept is one
RICH = (0, 1, 5)  # of six worlds: more goes wrong in them; none of those that are kept is among them
CALM_HOURS = 2.5  # until then every run has ended, whatever it was that went wrong
_ENVIRONMENT = {"ExportStorage": "UseDevelopmentStorage=true", "SEGMENT_CONTAINER": "segments"}


class World:
    def __init__(self, seed: int, *, story: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.scheduler = Scheduler(seed, story=story)
        # What a world is made of does not depend on how it goes.
        self.chance = random.Random(f"world {seed}")
        self.plan = plan(self.chance)
        self.more = random.Random(f"more {seed}")
        if seed % 6 in RICH:
            self.plan = enriched(self.plan, self.more)
        self.apart = random.Random(f"apart {seed}")
        self.weather = Weather()
        clock = SimulatedClock(self.scheduler)
        self.state, self.catalog = MemoryBlobs("export-state", clock), MemoryBlobs("export-catalog", clock)
        self.segments, self.queue = MemoryBlobs("segments", clock), MemoryQueue("export-work", clock)
        self.records = Records(self.state, self.catalog, self.queue)
        self.service = Service(self.scheduler, self.plan.service, slow=self.plan.slow)
        self.service.blanks = self.plan.rich and self.apart.random() < 0.2
        population = Population(random.Random(f"people {seed}"), self.plan.all_tables, self.plan.lively)
        population.settle(self.plan.people)
        self.insights = Insights(
            self.scheduler,
            random.Random(f"files {seed}"),
            self.segments,
            population,
            self.plan.style,
            self.plan.tables,
            self.plan.gaps,
        )
        self.history = History(self.scheduler, self.plan, self.records, self.service, self.insights)
        self.platform = Platform(
            self.scheduler, self.weather, self.queue, self._app, hidden=self.plan.hidden, skews=self.plan.skews
        )
        self.operator = Operator(self.scheduler, self.chance, self.platform, self.plan, self.records)
        self.life = Life(
            self.scheduler,
            self.plan,
            self.chance,
            self.more,
            self.apart,
            self.weather,
            self.service,
            self.insights,
            self.records,
            self.queue,
            self.history,
            self.platform,
            self.operator,
        )
        self.ground = Ground(
            self.scheduler,
            random.Random(f"ground {seed}"),
            self.weather,
            self.history,
            self.platform,
            self.operator,
            tick,
        )
        self._settings = settings.read(_ENVIRONMENT | self.plan.settings)
        self._sizes = Sizes(**self.plan.sizes)

    def play(self) -> History:
        """Everything that happens. The world must be closed then."""
        self._furnish()
        self.operator.found()
        for number in range(self.plan.workers):
            self.platform.worker(number, work)
        for number in range(self.plan.timers):
            self.platform.timer(number, tick, 15 * MINUTE)
        self._run(2 * MINUTE)
        self.life.begin()
        if self.seed >= HARD_FROM and self.seed % 7 in HARD:
            self.ground.begin(self.plan.hours * HOUR)
            self.life.ground = self.ground
        self._run(self.plan.hours * HOUR)
        self._calm_down()
        self._run(CALM_HOURS * HOUR)
        self._last_refresh()
        return self.history

    def close(self) -> None:
        self.scheduler.close()
        self.service.state.end()

    def _app(self, process: Process) -> App:
        clock, threads = SimulatedClock(self.scheduler, process), SimulatedThreads(self.scheduler, process)
        return App(
            settings=self._settings,
            state=self._blobs(self.state),
            catalog_blobs=self._blobs(self.catalog),
            segments=self._blobs(self.segments),
            queue=SimulatedQueue(self.queue, self.scheduler, self.weather, self.platform.arrived),
            vault=MemoryVault({account.secret_name: account.key for account in self.plan.accounts}),
            destinations=Accounts(API, clock, threads, lambda _: SimulatedAdapter(self.service, self.weather, process)),
            clock=clock,
            threads=threads,
            workspace=workspace,
            sizes=self._sizes,
            invocation_seconds=self.plan.invocation,
            new_suffix=lambda: f"{self.scheduler.random.getrandbits(32):08x}",
        )

    def _blobs(self, far: MemoryBlobs) -> SimulatedBlobs:
        return SimulatedBlobs(far.name, far, self.scheduler, self.weather, self.history.watch)

    def _furnish(self) -> None:
        """Accounts and lists, and who is on them already: some of the people, some strangers."""
        tables = list(self.plan.all_tables)
        fields: list[dict[str, Any]] = [
            {"name": FIELDS[0]},
            {"name": FIELDS[1], "type": "Date"},
            {"name": FIELDS[2], "type": "MultiSelectMany", "options": tables},
        ]
        for number, account in enumerate(self.plan.accounts):
            lists = [{"id": one, "title": f"List {one[:4]}", "fields": fields} for one in account.lists]
            client = {"id": f"client{number}", "name": account.id, "api_key": f"client-key-{number}", "lists": lists}
            self.service.control("POST", "accounts", {"api_key": account.key, "clients": [client]})
            for one in account.lists:
                self._populate(one)
        if self.plan.cursed:
            people = list(self.insights.population.people.values())
            self.service.cursed = frozenset({self.chance.choice(people).email})
        if self.plan.moving:
            self._join_by_themselves()
        if self.plan.rich and self.more.random() < 0.4:
            everybody = self.insights.population.people.values()
            self.service.clinging = frozenset(one.email for one in everybody if self.more.random() < 0.3)

    def _populate(self, list_id: str) -> None:
        for person in self.insights.population.people.values():
            if self.chance.random() < 0.15:
                self.life.own_doing(list_id, person.email, self.chance.choice(["Active", "Unsubscribed", "Bounced"]))
        self.life.own_doing(list_id, f"stranger@{DOMAIN}", "Active")

    def _join_by_themselves(self) -> None:
        """More of the people are active on a list before any export comes."""
        for list_id in (one for account in self.plan.accounts for one in account.lists):
            for person in self.insights.population.people.values():
                if person.email not in self.service.listing(list_id) and self.more.random() < 0.2:
                    self.life.own_doing(list_id, person.email, "Active")

    def _calm_down(self) -> None:
        turn(self.weather, calm())
        self.weather.storage_away_until = self.weather.service_away_until = self.weather.queue_away_until = 0.0
        self.platform.rouse()
        self.service.surprises.clear()
        self.history.calm_from = self.scheduler.time
        self.scheduler.tell("from here on nothing goes wrong any more")

    def _last_refresh(self) -> None:
        """One more refresh, as it should be, then a run of each export that finds nothing new."""
        self.history.last_refresh_at = self.scheduler.time
        self.service.cursed = self.service.clinging = frozenset()
        self.insights.population.live()
        if self.plan.moving:
            self.insights.population.come_back(self.more, 0.5)
        for folder in self.plan.tables:
            refresh = self.insights.refresh(folder, clean=True)
            if self.plan.rich and self.more.random() < 0.5:
                self._begin_just_before(folder, refresh)
            elif self.plan.rich:
                self._rehearse(folder, refresh)
        self._run(20 * MINUTE)
        for export, document in self.plan.exports.items():
            saved = self.records.exports().get(export) or {}
            if document["schedule"] != "refresh" or not saved.get("enabled", True):
                self.operator.start(export, patient=True)
        self._run(40 * MINUTE)
        self.history.second_round_at = self.scheduler.time
        for export in self.plan.exports:
            self.operator.start(export, patient=True, mode="changes")
        self._run(20 * MINUTE)

    def _begin_just_before(self, folder: str, refresh: Refresh) -> None:
        """A run of each export of the folder is at work with the older refresh when the timer finds the newer one."""
        quiet = MINUTE * float(self.plan.settings["QUIET_MINUTES"])
        for export in self.plan.exports:
            document = self.records.exports().get(export) or {}
            if document and self.plan.folder_of(document) == folder:
                whole_at = quiet + refresh.written_by([table_of(one) for one in document["segments"]])
                begin = partial(self.operator.start, export, mode="everything")
                self.scheduler.at(max(self.scheduler.time, whole_at - self.more.uniform(1.5, 4)), begin)
                self.scheduler.at(whole_at + self.more.uniform(0, 3), lambda: self.platform.door("tick", tick))

    def _rehearse(self, folder: str, refresh: Refresh) -> None:
        """Somebody tries each export of the folder before the timer has found the refresh."""
        quiet = MINUTE * float(self.plan.settings["QUIET_MINUTES"])
        for export, document in self.plan.exports.items():
            if self.plan.folder_of(document) == folder and export in self.records.exports():
                begin = quiet + refresh.ends + self.apart.uniform(1, 60)
                self.scheduler.at(begin, partial(self.operator.start, export, patient=True, dry_run=True))

    def _run(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.time + seconds)


@contextmanager
def world(seed: int, *, story: Callable[[str], None] | None = None) -> Iterator[World]:
    """A world that is closed in the end. Garbage is collected between worlds alone: it would run at other moments each
    time."""
    gc.disable()
    random.seed(seed)  # the waits of tenacity
    logger, made = logging.getLogger("shared"), World(seed, story=story)
    handler = _Log(made.history.log)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield made
    finally:
        made.close()
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
        gc.enable()
        gc.collect()


class _Log(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
