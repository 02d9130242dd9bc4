"""People who leave and come back, and exports that are changed meanwhile: what rich worlds have more of."""

import random
from collections.abc import Callable
from typing import Any

from local.simulation.operator_hands import Operator
from local.simulation.people import Population
from local.simulation.plans import Plan
from local.simulation.scheduler import Scheduler
from local.simulation.weather import MINUTE


def more_refreshes(plan: Plan, chance: random.Random) -> list[float]:
    """When there are some more: far enough apart that a run comes to its end between two."""
    if not plan.moving:
        return []
    begin = chance.uniform(20, 60) * MINUTE
    return [begin + number * chance.uniform(35, 45) * MINUTE for number in range(chance.choice([3, 4]))]


def come_and_go(population: Population, plan: Plan, chance: random.Random) -> None:
    """Before a refresh of a moving world: most of those who left are back, and some others leave."""
    if plan.moving:
        population.come_back(chance, 0.6)
        population.leave(chance, chance.choice([1, 2, 3]))


def oddities(folder: str, plan: Plan, chance: random.Random, apart: random.Random) -> dict[str, Any]:
    """What is odd about a refresh: a table without a row, or without a row that can be used; a long pause before its
    last files, or more of them than fingers."""
    odd: dict[str, Any] = {}
    if chance.random() < 0.1:
        odd["hollow"] = chance.choice(plan.tables[folder])
    if chance.random() < 0.15:
        odd["pause"] = MINUTE * (float(plan.settings["QUIET_MINUTES"]) + chance.uniform(5, 25))
    if apart.random() < 0.08:
        odd["ruined"] = apart.choice(plan.tables[folder])
    if apart.random() < 0.05:
        odd["parts"] = apart.choice([11, 13])
    return odd


def change_while_it_sends(run: dict[str, Any], operator: Operator, scheduler: Scheduler, chance: random.Random) -> None:
    """Somebody changes what an export does with its leavers, or its list, between the plan of a run and its last
    slice."""
    export, takes_off = run["export"], bool(run["counts"]["to_remove"] and run["slices"] > run["import_slices"])
    acts: list[Callable[[], None]] = [lambda: operator.redirect(export)]
    if takes_off:
        acts += [lambda: operator.choose_removals(export)] * 3
    if run["status"] == "sending" and chance.random() < (0.25 if takes_off else 0.1):
        scheduler.later(chance.choice([0.0, chance.uniform(0, 2), chance.uniform(0, 5)]), chance.choice(acts))
