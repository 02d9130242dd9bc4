"""What an export says is what happens: when it runs, what it sends, whom it puts back; and what an audit tells."""

import re
from collections import Counter
from collections.abc import Iterator
from math import inf
from typing import Any

from local.simulation.history import Ended, by_run
from local.simulation.oracles.calm import is_calm
from local.simulation.oracles.delivery import GOOD, sends
from local.simulation.oracles.findings import Said
from local.simulation.oracles.parquet import HELD, acknowledged
from local.simulation.oracles.reading import readings, seconds
from local.simulation.service import Change
from local.simulation.weather import HOUR, MINUTE, QUEUE_AWAY
from local.simulation.world import World

_EVERY = re.compile(r"(\d+) \*/(\d+) \* \* \*")
_TICK = 16 * MINUTE  # of the timer, and somewhat more
_PATIENCE = 2 * _TICK
_CLOCKS = 60.0  # seconds by which two clocks may be apart
_STATE_REFUSALS = (204, 205, 206, 207, 208)
_FINDINGS = ("active", "unconfirmed", "unsubscribed", "bounced", "deleted", "absent")


def times_are_kept(world: World) -> Iterator[Said]:
    """Each time of a schedule has its run, once no other holds the export, where nothing went wrong and it was not time
    again before; and no run answers a time at which the export had another schedule, or was paused, or one that another
    has answered."""
    runs = _runs(world)
    answered = {(run["export"], seconds(run["due_at"])) for run in runs if run.get("due_at")}
    for export in world.plan.exports:
        for due, until in _times(world, export, [run for run in runs if run["export"] == export]):
            if (export, due) not in answered and is_calm(world, due - _CLOCKS, until):
                yield Said("passed", f"{export} has no run for its time {due / HOUR:.1f} h")

    for run in runs:
        if run["trigger"] == "schedule" and run.get("due_at"):
            due = seconds(run["due_at"])
            saved = world.history.saved(run["export"], due - _CLOCKS, due + _CLOCKS)
            if not any(one and one["enabled"] and _EVERY.fullmatch(str(one["schedule"])) for one in saved):
                yield Said(
                    "not its time", f"{run['id']} answers {due / HOUR:.1f} h, which {run['export']} had not then"
                )

    yield from _answered_twice(runs)


def _answered_twice(runs: list[dict[str, Any]]) -> Iterator[Said]:
    """A run that never held its export, and was taken away, has no end."""
    answers: dict[tuple[str, str], str] = {}
    ended = [run for run in runs if run.get("due_at") and run.get("ended_at")]
    for run in sorted(ended, key=lambda run: str(run["id"])):
        first = answers.setdefault((run["export"], run["due_at"]), run["id"])
        if first != run["id"]:
            yield Said("twice", f"{first} and {run['id']} answer the same time, {run['due_at']}")


def _times(world: World, export: str, runs: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """Those of its schedule, each with until when it should have been answered; while the schedule stayed as it was and
    the export was enabled, and where it was not time again before."""
    every = _EVERY.fullmatch(str(world.plan.exports[export]["schedule"]))
    if not every:
        return
    due = int(every[1]) * MINUTE
    while due + _PATIENCE < world.scheduler.time:
        after = due + int(every[2]) * HOUR
        until = _free_from(world, runs, due + _TICK) + _PATIENCE
        saved = world.history.saved(export, due - _CLOCKS, until)
        stayed = all(one and one["enabled"] and one["schedule"] == every[0] for one in saved)
        if stayed and until < min(after, world.scheduler.time):
            yield due, until
        due = after


def _free_from(world: World, runs: list[dict[str, Any]], moment: float) -> float:
    """When none of ``runs`` holds the export any more, nor another one within _PATIENCE."""
    at_work = [run for run in runs if seconds(run["created_at"]) - _CLOCKS < moment + _PATIENCE]
    ends = [world.history.ended[run["id"]].time if run["id"] in world.history.ended else inf for run in at_work]
    latest = max(ends, default=moment)
    return _free_from(world, runs, latest) if moment < latest < inf else max(moment, latest)


def _runs(world: World) -> list[dict[str, Any]]:
    """Also those whose records are gone."""
    there = world.records.runs()
    known = {run["id"] for run in there}
    return there + [ended.run for id_, ended in world.history.ended.items() if id_ not in known]


def paused_exports_rest(world: World) -> Iterator[Said]:
    """An export that is paused does not run by itself."""
    for run in _runs(world):
        created = seconds(run["created_at"])
        saved = world.history.configured(run["export"], created - _CLOCKS, created + _CLOCKS)
        paused = saved and not any(one["enabled"] for one in saved)
        if run["trigger"] != "on-demand" and paused and is_calm(world, created - _CLOCKS, created + _CLOCKS):
            yield Said("runs", f"{run['id']} ({run['trigger']}) began while {run['export']} was paused")


def nobody_is_surprised(world: World) -> Iterator[Said]:
    """Whoever starts an export and is told of a run sees its end. Whoever is refused has started nothing: no run of
    then begins of which nobody was told."""
    for id_ in sorted(world.operator.told - set(world.history.ended)):
        yield Said("comes to nothing", f"somebody was told of {id_}, which has no end")
    for run in _runs(world):
        created = seconds(run["created_at"])
        asked = [
            (begun, answered)
            for export, begun, answered in world.operator.refused
            if export == run["export"] and begun - _CLOCKS <= created <= answered + _CLOCKS
        ]
        if run["trigger"] != "on-demand" or run["id"] in world.operator.told or not run.get("started_at"):
            continue
        if asked and all(is_calm(world, begun - _CLOCKS, end + _CLOCKS, besides=QUEUE_AWAY) for begun, end in asked):
            yield Said("begins", f"{run['id']} has begun, and whoever asked for it was refused")


def everything_is_everything(world: World) -> Iterator[Said]:
    """A run that nobody asked for has the mode of its export, and with the mode everything each row that counts is
    sent."""
    sent: dict[str, set[str]] = {}
    for change in world.service.changes:
        if change.kind == "import":
            sent.setdefault(by_run(change), set()).add(change.email)
    for ended in world.history.ended.values():
        run, created = ended.run, seconds(ended.run["created_at"])
        modes = {one["mode"] for one in world.history.configured(run["export"], created - _CLOCKS, created + _CLOCKS)}
        if run["trigger"] != "on-demand" and modes and run["mode"] not in modes:
            yield Said("another mode", f"{run['id']} has the mode {run['mode']}, and its export {modes}")
        if run["mode"] != "everything" or run["status"] not in GOOD or not sends(run):
            continue
        found = [set(reading.first) - sent.get(run["id"], set()) for reading in readings(world.history, run)]
        if found and all(found):
            yield Said("not sent", f"{run['id']} should send everything, and left out {len(found[0])}")


def consent_is_sent(world: World) -> Iterator[Said]:
    """Each subscriber is sent with the consent that the mapping says."""
    runs = {run["id"]: run for run in _runs(world)}
    asked: dict[str, set[str]] = {}
    for change in world.service.changes:
        run = runs.get(by_run(change))
        if change.kind != "import" or not run or not run.get("planned_at"):
            continue
        if run["id"] not in asked:
            begin, end = seconds(run["created_at"]) - _CLOCKS, seconds(run["planned_at"]) + _CLOCKS
            saved = world.history.configured(run["export"], begin, end)
            asked[run["id"]] = {one["mapping"].get("consent_to_track") or "Unchanged" for one in saved}
        told = change.sent.get("ConsentToTrack")
        if told not in asked[run["id"]]:
            yield Said("another", f"{run['id']} sent {told} as the consent, not {asked[run['id']]}")
            return


def who_is_asked_back_comes_back(world: World) -> Iterator[Said]:
    """Where the export says resubscribe nobody is turned away for their state."""
    for change in world.service.changes:
        if change.kind == "import" and change.code in _STATE_REFUSALS and _resubscribes(world, change):
            who = change.email.partition("@")[0]
            yield Said("stays out", f"{by_run(change)}: {who} was refused with {change.code}, and should come back")


def _resubscribes(world: World, change: Change) -> bool:
    """Whether the export said so all the time since the run was asked for."""
    run = by_run(change)
    ended = world.history.ended.get(run)
    saved = (
        world.history.saved(ended.run["export"], world.history.created_at(run) - _CLOCKS, change.left) if ended else []
    )
    return bool(saved) and all(one and one["resubscribe"] for one in saved)


def audits_are_true(world: World) -> Iterator[Said]:
    """An audit counts of those whom the export has acknowledged how many are on the list, and in which state; judged
    where nothing changed while it read."""
    for ended in world.history.ended.values():
        run = ended.run
        if not run.get("audit") or run["status"] not in GOOD or not _lay_still(world, ended):
            continue
        data = world.history.acknowledged_at(run["export"], run["list_id"], ended.time)
        held = [email for email, state in acknowledged(data).items() if state in HELD] if data else []
        states = Counter(str(ended.listing.get(email, {}).get("state", "absent")).lower() for email in held)
        true = {"acknowledged": len(held)} | {name: states[name] for name in _FINDINGS}
        told = {name: (run.get("findings") or {}).get(name) for name in true}
        if told != true:
            yield Said("findings", f"{run['id']} says {told}, and the list {true}")


def _lay_still(world: World, ended: Ended) -> bool:
    """Whether nothing happened on the list, and nothing was acknowledged, while the run was at work."""
    run, begin, end = ended.run, world.history.created_at(ended.run["id"]), ended.time
    written = world.history.acknowledged.get((run["export"], run["list_id"]), [])
    changes = [(one.list_id, one.time) for one in world.service.changes if one.kind != "state"]
    doings = [(one.list_id, one.time) for one in world.history.own_doings]
    changed = any(list_id == run["list_id"] and begin <= time <= end for list_id, time in changes + doings)
    return not changed and not any(begin <= time <= end for time, _ in written)
