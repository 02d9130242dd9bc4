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
from local.simulation.history import History, OwnDoing
from local.simulation.hosts import Platform
from local.simulation.messages import SimulatedQueue
from local.simulation.operator_hands import Operator
from local.simulation.people import DOMAIN, Person, Population
from local.simulation.plans import FIELDS, enriched, plan
from local.simulation.records import Records
from local.simulation.refreshes import Insights
from local.simulation.scheduler import Process, Scheduler
from local.simulation.service import API, Service, SimulatedAdapter
from local.simulation.storage import SimulatedBlobs
from local.simulation.threads import SimulatedClock, SimulatedThreads
from local.simulation.weather import HOUR, MINUTE, Weather, calm, storm, told, turn
from local.simulation.workspaces import workspace
from shared import settings
from shared.campaign_monitor.account import Accounts
from shared.parts import App
from shared.record.slices import Sizes
from shared.runs.tick import tick
from shared.runs.worker import work

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
        self.weather = Weather()
        clock = SimulatedClock(self.scheduler)
        self.state, self.catalog = MemoryBlobs("export-state", clock), MemoryBlobs("export-catalog", clock)
        self.segments, self.queue = MemoryBlobs("segments", clock), MemoryQueue("export-work", clock)
        self.records = Records(self.state, self.catalog, self.queue)
        self.service = Service(self.scheduler, self.plan.service, slow=self.plan.slow)
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
        self._schedule_life()
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
            vault=MemoryVault({account.key: account.key for account in self.plan.accounts}),
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
        if self.plan.rich and self.more.random() < 0.3:
            everybody = self.insights.population.people.values()
            self.service.clinging = frozenset(one.email for one in everybody if self.more.random() < 0.3)

    def _populate(self, list_id: str) -> None:
        for person in self.insights.population.people.values():
            if self.chance.random() < 0.15:
                self._own_doing(list_id, person.email, self.chance.choice(["Active", "Unsubscribed", "Bounced"]))
        self._own_doing(list_id, f"stranger@{DOMAIN}", "Active")

    def _own_doing(self, list_id: str, email: str, state: str) -> None:
        suppressed = state == "Unsubscribed" and self.chance.random() < 0.4
        self.service.put(list_id, email, state, suppressed=suppressed)
        self.history.own_doings.append(OwnDoing(self.scheduler.time, list_id, email.lower(), state, suppressed))
        self.scheduler.tell(f"past the product: {email.partition('@')[0]} is {state} on {list_id[:4]}")

    def _schedule_life(self) -> None:
        chance, end = self.chance, self.plan.hours * HOUR
        refreshes = []
        for folder in self.plan.tables:
            moment = chance.uniform(0, end / 3)
            for _ in range(chance.choice([1, 2, 3, 4])):
                if moment < end:
                    refreshes.append(moment)
                    self._at(moment, partial(self._refresh, folder))
                gap = chance.uniform(2, 40) * MINUTE if self.plan.overlaps else chance.uniform(0.6, 3) * HOUR
                moment += gap
        for _ in range(chance.choice([0, 1, 3, 6])):
            self._at(chance.uniform(0, end), self.operator.act)
        for _ in range(chance.choice([0, 0, 2, 4])):
            self._at(chance.uniform(0, end), self._confirm)
        for _ in range(chance.choice([0, 2, 5])):
            self._at(chance.uniform(0, end), self._somebody_changes_their_mind)
        for _ in range(chance.choice([0, 1, 1, 2, 4])):
            # Most are about when there is something to do.
            begin = chance.choice(refreshes) + chance.uniform(-5, 20) * MINUTE
            self._at(max(0.0, begin), partial(self._storm, chance.choice([5, 30, 120]) * MINUTE))
        if chance.random() < 0.2:
            self._at(chance.uniform(0, end), lambda: self.insights.rewrite(chance))
        if self.plan.rich:
            for _ in range(self.more.choice([0, 1, 2, 4])):
                self._at(self.more.uniform(0, end), lambda: self.operator.hang_up(self.more))
            self.history.on_end = self._perhaps_confirm
        self.history.on_step = self._in_haste

    def _in_haste(self, run: dict[str, Any]) -> None:
        """Something is done while a run is at work."""
        random, scheduler, export = self.scheduler.random, self.scheduler, run["export"]
        if random.random() >= self.plan.haste or scheduler.time > self.plan.hours * HOUR:
            return
        acts: list[Callable[[], None]] = [
            lambda: self.operator.cancel(export, run["id"]),
            lambda: self.operator.cancel(export, run["id"]),
            lambda: self.operator.edit(export),
            lambda: self.operator.start(export),
            self.operator.act,
            self._somebody_changes_their_mind,
            lambda: self._storm(10 * MINUTE),
        ]
        if self.plan.rich:
            acts += [lambda: self._while_it_sleeps(run)] * 4 + [lambda: self.operator.redirect(export)]
        scheduler.later(random.choice([0.0, random.uniform(0, 3), random.uniform(0, 40)]), random.choice(acts))

    def _while_it_sleeps(self, run: dict[str, Any]) -> None:
        """Whoever is at work on the run is stopped for longer than a lease, at once or right before it writes down what
        it decided; its message comes to somebody else, and something changes meanwhile."""
        random, scheduler, export = self.scheduler.random, self.scheduler, run["export"]
        acts: list[Callable[[], None]] = [
            lambda: self.operator.edit(export),
            lambda: self.operator.redirect(export),
            lambda: self.operator.cancel(export, run["id"]),
            lambda: self._refresh(self.plan.folder_of(self.plan.exports[export])),
            lambda: None,
        ]

        def fall_asleep(process: Process) -> None:
            self.platform.stall(process, random.choice([45, 90, 400]))
            self.queue.put(process.job)
            self.platform.arrived(0)
            scheduler.later(random.uniform(0, 25), random.choice(acts))

        for process in self.platform.at_work(run["id"])[:1]:
            if random.random() < 0.3:
                fall_asleep(process)
            else:
                process.drowsy = partial(fall_asleep, process)

    def _at(self, moment: float, call: Callable[[], None]) -> None:
        self.scheduler.at(moment, call)

    def _refresh(self, folder: str) -> None:
        newest = self.insights.begun_by(folder, self.scheduler.time)
        if newest and (newest.ends > self.scheduler.time and not self.plan.overlaps):
            return
        if newest and self.scheduler.time - newest.begun < MINUTE:
            return  # it would have the same folder
        before = dict(self.insights.population.people)
        self.insights.population.live()
        refresh = self.insights.refresh(folder)
        if self.plan.rich:
            self._go_by_themselves(before)
            self._ask_for_runs(folder, refresh.ends + MINUTE * float(self.plan.settings["QUIET_MINUTES"]))

    def _go_by_themselves(self, before: dict[int, Person]) -> None:
        """Of those who came, left or moved some opt out as well, before or after the run."""
        for number, person in before.items():
            now = self.insights.population.people[number]
            if now.tables != person.tables and self.more.random() < 0.3:
                list_id = self.more.choice([one for account in self.plan.accounts for one in account.lists])
                state = self.more.choice(["Unsubscribed", "Unsubscribed", "Bounced"])
                opt_out = partial(self._own_doing, list_id, now.email, state)
                if now.email in self.service.listing(list_id):
                    self._at(self.scheduler.time + self.more.uniform(0, 40) * MINUTE, opt_out)

    def _ask_for_runs(self, folder: str, whole_at: float) -> None:
        """Somebody tries the refresh before the timer finds it, or sends it after that."""
        exports = [id_ for id_, one in self.plan.exports.items() if self.plan.folder_of(one) == folder]
        for export in exports:
            if self.more.random() < 0.3:
                self._at(whole_at + self.more.uniform(0, 60), partial(self.operator.start, export, dry_run=True))
            if self.more.random() < 0.3:
                self._at(whole_at + self.more.uniform(0, 20) * MINUTE, partial(self.operator.start, export))

    def _confirm(self) -> None:
        guarded = [run for run in self.records.runs() if (run.get("error") or {}).get("code") == "too_many_leavers"]
        if guarded:
            self.operator.confirm(guarded[-1])

    def _perhaps_confirm(self, run: dict[str, Any]) -> None:
        """Where a run was stopped for its leavers somebody confirms it, perhaps late, when there is another refresh."""
        late = self.more.uniform(1, 90) * MINUTE
        in_life = self.scheduler.time + late < self.plan.hours * HOUR
        if (run.get("error") or {}).get("code") == "too_many_leavers" and in_life and self.more.random() < 0.7:
            self.scheduler.later(late, lambda: self.operator.confirm(run))
            if self.more.random() < 0.5:
                folder = run["snapshots"][0]["segment"].partition("/")[0]
                self.scheduler.later(late / 3, lambda: self._refresh(folder))

    def _somebody_changes_their_mind(self) -> None:
        list_id = self.chance.choice([one for account in self.plan.accounts for one in account.lists])
        listing = self.service.listing(list_id)
        email = self.chance.choice(sorted(listing))
        states = ["Unsubscribed", "Bounced"] if listing[email]["state"] == "Active" else ["Active"]
        self._own_doing(list_id, email, self.chance.choice(states))

    def _storm(self, seconds: float) -> None:
        began = self.scheduler.time
        turn(self.weather, storm(self.scheduler.random, began, rich=self.plan.rich))
        words = told(self.weather)
        self.history.storms.append((began, began + seconds, words))
        self.scheduler.tell(f"a storm begins: {words}")

        def end() -> None:
            self.scheduler.tell("the storm is over")
            turn(self.weather, calm())

        self.scheduler.later(seconds, end)

    def _calm_down(self) -> None:
        turn(self.weather, calm())
        self.weather.storage_away_until = self.weather.service_away_until = 0.0
        self.history.calm_from = self.scheduler.time
        self.scheduler.tell("from here on nothing goes wrong any more")

    def _last_refresh(self) -> None:
        """One more refresh, as it should be, then a run of each export that finds nothing new."""
        self.history.last_refresh_at = self.scheduler.time
        self.service.cursed = self.service.clinging = frozenset()
        self.insights.population.live()
        for folder in self.plan.tables:
            refresh = self.insights.refresh(folder, clean=True)
            if self.plan.rich and self.more.random() < 0.5:
                self._begin_just_before(folder, refresh.ends + MINUTE * float(self.plan.settings["QUIET_MINUTES"]))
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

    def _begin_just_before(self, folder: str, whole_at: float) -> None:
        """A run of each export of the folder is at work with the older refresh when the timer finds the newer one."""
        for export, document in self.plan.exports.items():
            if self.plan.folder_of(document) == folder:
                begin = partial(self.operator.start, export, mode="everything")
                self._at(whole_at - self.more.uniform(0, 10), begin)
        self._at(whole_at + self.more.uniform(0, 10), lambda: self.platform.door("tick", tick))

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
