"""What happens in a world while it lives: refreshes, people who come and go, operators in haste, storms."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from local.memory.queue import MemoryQueue
from local.simulation import comings
from local.simulation.ground import Ground
from local.simulation.history import History, OwnDoing
from local.simulation.hosts import Platform
from local.simulation.operator_hands import Operator
from local.simulation.people import Person
from local.simulation.plans import Plan
from local.simulation.records import Records
from local.simulation.refreshes import Insights
from local.simulation.scenes import Scenes
from local.simulation.scheduler import Process, Scheduler
from local.simulation.service import Service
from local.simulation.weather import HOUR, MINUTE, Weather, calm, storm, told, turn


@dataclass
class Life:
    """``chance`` decides what every world has, ``more`` what the rich ones have beside it, and ``apart``
    what was added to these later still."""

    scheduler: Scheduler
    plan: Plan
    chance: random.Random
    more: random.Random
    apart: random.Random
    weather: Weather
    service: Service
    insights: Insights
    records: Records
    queue: MemoryQueue
    history: History
    platform: Platform
    operator: Operator
    rejoined: set[int] = field(default_factory=set)
    ground: Ground | None = None

    def begin(self) -> None:
        """Plans what happens when, and what a run at work may meet."""
        chance, end = self.chance, self.plan.hours * HOUR
        refreshes = []
        for folder in self.plan.tables:
            moment = chance.uniform(0, end / 3)
            for _ in range(chance.choice([1, 2, 3, 4])):
                if moment < end:
                    refreshes.append(moment)
                    self.scheduler.at(moment, partial(self._refresh, folder))
                gap = chance.uniform(2, 40) * MINUTE if self.plan.overlaps else chance.uniform(0.6, 3) * HOUR
                moment += gap
        for _ in range(chance.choice([0, 1, 3, 6])):
            self.scheduler.at(chance.uniform(0, end), self.operator.act)
        for _ in range(chance.choice([0, 0, 2, 4])):
            self.scheduler.at(chance.uniform(0, end), self._confirm)
        for _ in range(chance.choice([0, 2, 5])):
            self.scheduler.at(chance.uniform(0, end), self._somebody_changes_their_mind)
        for _ in range(chance.choice([0, 1, 1, 2, 4])):
            # Most are about when there is something to do.
            begin = chance.choice(refreshes) + chance.uniform(-5, 20) * MINUTE
            self.scheduler.at(max(0.0, begin), partial(self._storm, chance.choice([5, 30, 120]) * MINUTE))
        if chance.random() < 0.2:
            self.scheduler.at(chance.uniform(0, end), lambda: self.insights.rewrite(chance))
        if self.plan.rich:
            for _ in range(self.more.choice([0, 1, 2, 4])):
                self.scheduler.at(self.more.uniform(0, end), lambda: self.operator.hang_up(self.more))
            for moment in comings.more_refreshes(self.plan, self.more):
                self.scheduler.at(moment, partial(self._refresh, self.more.choice([*self.plan.tables])))
            self.history.on_end = self._after_a_run
            if self.apart.random() < 0.3:
                self._expire(self.apart.choice([1.5, 3]) * HOUR)
        self.history.on_step = self._on_step

    def _expire(self, after: float) -> None:
        """The records of runs that ended so long ago are deleted; there are days in between in Azure."""

        def expire() -> None:
            gone = self.records.expire(self.scheduler.now() - timedelta(seconds=after))
            if gone:
                self.scheduler.tell(f"the records of {gone} runs are deleted, {after / HOUR} h after their end")
            self.scheduler.later(HOUR / 2, expire)

        expire()

    def _on_step(self, run: dict[str, Any]) -> None:
        self._in_haste(run)
        if self.ground and self.scheduler.time < self.plan.hours * HOUR:
            self.ground.perhaps(run["id"])
        if self.plan.rich and run["status"] != "finishing" and self.scheduler.time < self.plan.hours * HOUR:
            comings.change_while_it_sends(run, self.operator, self.scheduler, self.more)

    def _in_haste(self, run: dict[str, Any]) -> None:
        """Something is done while a run is at work."""
        random, scheduler, export = self.scheduler.random, self.scheduler, run["export"]
        if self.plan.rich and scheduler.time < self.plan.hours * HOUR:
            self._scenes().perhaps(run)
        if (
            run["status"] == "finishing"
            or random.random() >= self.plan.haste
            or scheduler.time > self.plan.hours * HOUR
        ):
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

    def _scenes(self) -> Scenes:
        return Scenes(
            self.scheduler,
            self.more,
            self.apart,
            self.weather,
            self.plan,
            self.service,
            self.queue,
            self.platform,
            self.operator,
        )

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

    def _refresh(self, folder: str) -> None:
        newest = self.insights.begun_by(folder, self.scheduler.time)
        if newest and (newest.ends > self.scheduler.time and not self.plan.overlaps):
            return
        if newest and self.scheduler.time - newest.begun < MINUTE:
            return  # it would have the same folder
        before = dict(self.insights.population.people)
        self.insights.population.live()
        odd: dict[str, Any] = {}
        if self.plan.rich:
            if self.plan.moving:
                self._rejoin_and_come_back(folder)
            comings.come_and_go(self.insights.population, self.plan, self.more)
            odd = comings.oddities(folder, self.plan, self.more, self.apart)
        refresh = self.insights.refresh(folder, **odd)
        if self.plan.rich:
            self._go_by_themselves(before)
            self._opt_out_when_deleted()
            self._ask_for_runs(folder, refresh.ends + MINUTE * float(self.plan.settings["QUIET_MINUTES"]))

    def _go_by_themselves(self, before: dict[int, Person]) -> None:
        """Of those who came, left or moved some opt out as well, before or after the run."""
        for number, person in before.items():
            now = self.insights.population.people[number]
            if now.tables == person.tables or self.more.random() >= (0.1 if self.plan.moving else 0.3):
                continue
            lists = [one for account in self.plan.accounts for one in account.lists]
            on = [one for one in lists if now.email in self.service.listing(one)]
            if on:
                state = self.more.choice(["Unsubscribed", "Unsubscribed", "Bounced"])
                opt_out = partial(self.own_doing, self.more.choice(on), now.email, state)
                soon = self.more.uniform(0, 40 if now.tables else 10) * MINUTE
                self.scheduler.at(self.scheduler.time + soon, opt_out)

    def _opt_out_when_deleted(self) -> None:
        """Some of those who were deleted join by themselves, and most of these opt out again."""
        for list_id in (one for account in self.plan.accounts for one in account.lists):
            for email, record in sorted(self.service.listing(list_id).items()):
                if record["state"] == "Deleted" and self.more.random() < 0.4:
                    state = self.more.choice(["Unsubscribed", "Unsubscribed", "Bounced", "Active"])
                    moment = self.scheduler.time + self.more.uniform(0, 40) * MINUTE
                    self.scheduler.at(moment, partial(self.own_doing, list_id, email, state))

    def _rejoin_and_come_back(self, folder: str) -> None:
        """Some of those who were deleted joined by themselves, and are in a segment again; with the next refresh, which
        comes when that has been exported, they leave it."""
        population = self.insights.population
        for number in self.rejoined:
            population.put(number, ())
        self.rejoined.clear()
        for list_id in (one for account in self.plan.accounts for one in account.lists):
            listing = self.service.listing(list_id)
            for number, person in list(population.people.items()):
                state = listing.get(person.email, {}).get("state")
                if state == "Deleted" and not person.tables and self.apart.random() < 0.4:
                    self.own_doing(list_id, person.email, "Active")
                    population.put(number, self.plan.all_tables)
                    self.rejoined.add(number)
        later = self.apart.uniform(40, 60) * MINUTE
        if self.rejoined and self.scheduler.time + later < self.plan.hours * HOUR:
            self.scheduler.later(later, partial(self._refresh, folder))

    def own_doing(self, list_id: str, email: str, state: str) -> None:
        """Past the product somebody becomes active, unsubscribes or bounces."""
        suppressed = state == "Unsubscribed" and self.chance.random() < 0.4
        self.service.put(list_id, email, state, suppressed=suppressed)
        self.history.own_doings.append(OwnDoing(self.scheduler.time, list_id, email.lower(), state, suppressed))
        self.scheduler.tell(f"past the product: {email.partition('@')[0]} is {state} on {list_id[:4]}")

    def _ask_for_runs(self, folder: str, whole_at: float) -> None:
        """Somebody tries the refresh before the timer finds it, or sends it after that."""
        exports = [id_ for id_, one in self.plan.exports.items() if self.plan.folder_of(one) == folder]
        for export in exports:
            if self.more.random() < 0.3:
                self.scheduler.at(
                    whole_at + self.more.uniform(0, 60), partial(self.operator.start, export, dry_run=True)
                )
            if self.more.random() < 0.3:
                self.scheduler.at(whole_at + self.more.uniform(0, 20) * MINUTE, partial(self.operator.start, export))

    def _confirm(self) -> None:
        guarded = [run for run in self.records.runs() if (run.get("error") or {}).get("code") == "too_many_leavers"]
        if guarded:
            self.operator.confirm(guarded[-1])

    def _after_a_run(self, run: dict[str, Any]) -> None:
        self._perhaps_confirm(run)
        in_life = self.scheduler.time < self.plan.hours * HOUR
        if run["trigger"] == "refresh" and in_life and self.more.random() < 0.3:
            # What the timer found somebody sends once more.
            self.scheduler.later(self.more.uniform(0, 6) * MINUTE, partial(self.operator.start, run["export"]))

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
        self.own_doing(list_id, email, self.chance.choice(states))

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
