"""A run's life: it ends, leaves nothing behind, and once nothing goes wrong, everything comes out right."""

from collections.abc import Iterator
from typing import Any

from local.simulation.history import Ended, by_export
from local.simulation.oracles.calm import is_calm
from local.simulation.oracles.delivery import GOOD, sends
from local.simulation.oracles.findings import Said
from local.simulation.oracles.last_refresh import last_paths, last_readings, last_runs, paths_used
from local.simulation.oracles.reading import difference, expected, seconds, tables_of
from local.simulation.records import ENDED
from local.simulation.service import Change
from local.simulation.weather import MINUTE
from local.simulation.world import World

_TICKS = 40 * MINUTE  # more than two of the timer
QUICK = 240.0  # seconds: a message waits for half a minute where it is given back, the sweep looks after five minutes
_SAVED = 10.0  # seconds from an answer to its checkpoint
_REFUSABLE = (1, 204, 205, 206, 207, 208)  # docs/changes.md: not offered again before their data change


def every_run_ends(world: World) -> Iterator[Said]:
    """Every run has ended some hours after nothing went wrong any more; at the very end all have."""
    for run in world.records.runs():
        if run["status"] not in ENDED:
            yield Said("never", f"{run['id']} is still {run['status']}")
            continue
        ended = world.history.ended.get(run["id"])
        limit = world.history.last_refresh_at
        if ended and seconds(run["created_at"]) < world.history.calm_from and ended.time > limit:
            cursed = " with one who always fails" if world.plan.cursed else ""
            yield Said(f"late{cursed}", f"{run['id']} ended only at {ended.time:.0f}")


def nothing_is_left(world: World) -> Iterator[Said]:
    """In the end no export is held, nothing is leased, and no message of a living run waits."""
    for export in world.records.held():
        yield Said("held", f"{export} is still held by a run")
    for info in world.state.list("runs/"):
        if world.state.is_leased(info.name):
            yield Said("leased", f"{info.name} is still leased")


def no_defects(world: World) -> Iterator[Said]:
    """No step, tick or door meets what nobody thought of."""
    for process, what, error in world.platform.defects:
        yield Said(type(error).__name__, f"{process} at {what}: {type(error).__name__}: {str(error)[:200]}")
    for process, crash in world.scheduler.crashes:
        yield Said(f"crash {type(crash).__name__}", f"{process}: {crash!r}"[:200])
    for line in world.history.log:
        if "nobody thought of" in line:
            yield Said("log", line[:200])
    for run in world.records.runs():
        if (run.get("error") or {}).get("code") == "internal":
            yield Said("internal", f"{run['id']} failed for something that nobody thought of")


def calm_runs_succeed(world: World) -> Iterator[Said]:
    """Once nothing goes wrong any more runs succeed, or fail for what they should: a guard."""
    for ended in world.history.ended.values():
        run = ended.run
        if seconds(run["created_at"]) < world.history.last_refresh_at or run["status"] in GOOD:
            continue
        code = (run.get("error") or {}).get("code")
        if code != "too_many_leavers":
            yield Said(f"{run['status']} {code}", f"{run['id']}: {run['status']} {code} in the calm")


def calm_runs_are_quick(world: World) -> Iterator[Said]:
    """Once nothing goes wrong any more a run takes minutes: nothing waits to be found by the sweep."""
    for ended in world.history.ended.values():
        begin = world.history.created_at(ended.run["id"])
        if begin > world.history.last_refresh_at and ended.time - begin > QUICK:
            yield Said("slow", f"{ended.run['id']} took {ended.time - begin:.0f} s")


def refreshes_are_exported(world: World) -> Iterator[Said]:
    """Every export that runs by itself has taken the last refresh by itself."""
    for export, document in world.history.plan.exports.items():
        saved = world.history.configuration(export, float("inf"))
        if not saved or not saved["enabled"] or saved["schedule"] != "refresh":
            continue
        paths = [
            one["path"]
            for ended in world.history.ended.values()
            if ended.run["export"] == export and sends(ended.run) and _created(ended) < world.history.second_round_at
            for one in ended.run["snapshots"]
        ]
        for segment in saved["segments"]:
            folder, _, table = segment.partition("/")
            newest = world.insights.begun_by(folder, world.scheduler.time)
            if newest and newest.paths[table] not in paths:
                apart = " with clocks apart" if world.plan.skews else ""
                yield Said(
                    f"missed{apart}", f"{export} has not taken {newest.paths[table][-30:]} ({document['schedule']})"
                )


def nothing_is_exported_twice(world: World) -> Iterator[Said]:
    """The timer begins no run for a refresh that the run before it had, nor for one of which the operator had stopped
    the run; judged where nothing went wrong when the one ended and the other began, for a tick may have slept between,
    and where ids tell which of the export's runs was the last one: with clocks apart they may not."""
    before: dict[str, Ended] = {}
    newest: dict[str, str] = {}
    for ended in sorted(world.history.ended.values(), key=lambda one: one.time):
        run, last = ended.run, before.get(ended.run["export"])
        if not sends(run) or not run["snapshots"]:
            continue
        newest_before = newest.get(run["export"], "")
        before[run["export"]], newest[run["export"]] = ended, max(newest_before, run["id"])
        if not last or last.run["id"] != newest_before:
            continue
        if run["trigger"] != "refresh" or _versions(run) != _versions(last.run):
            continue
        begin, end = _created(last) - MINUTE, _created(ended)
        if is_calm(world, begin, min(last.time + _TICKS, end)) and is_calm(world, max(begin, end - _TICKS), end):
            yield Said("twice", f"{run['id']} of {run['export']} exports what {last.run['id']} had exported")


def _versions(run: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["segment"], one["path"], one["version"]) for one in run["snapshots"]]


def _created(ended: Ended) -> float:
    return seconds(ended.run["created_at"])


def converges(world: World) -> Iterator[Said]:
    """One refresh and a run after nothing goes wrong any more, everybody in a segment is on the list with what their
    row says; but for those who opted out, or whom the service refuses, or whom the export unsubscribed."""
    for export, run in last_runs(world).items():
        for reading in last_readings(world, run)[-1:]:
            for email, read in reading.first.items():
                record = world.service.listing(run["list_id"]).get(email)
                changes = world.history.changes(run["list_id"], email)
                own = [one for one in changes if by_export(one) == export and one.kind == "import"]
                who = f"{email.partition('@')[0]} of {export}"
                if own and own[-1].code in _REFUSABLE:
                    # Rightly so, but for one whom the export itself deleted while they were active.
                    deletion = _deletion_by(export, changes)
                    if deletion and record and record["state"] == "Deleted" and not record["suppressed"]:
                        saved = is_calm(world, deletion.left, deletion.time + _SAVED)
                        kind = "forgotten deletion" if saved else "forgotten deletion whose answer got lost"
                        yield Said(kind, f"{who} was deleted by it while active, is back, and stays out")
                elif record is None:
                    yield Said("absent", f"{who} is not on the list")
                elif record["state"] != "Active":
                    if not _went(world, own, changes):
                        yield Said("not active", f"{who} is {record['state']}, and was not refused")
                elif (
                    changes
                    and by_export(changes[-1]) == export
                    and (wrong := difference(expected(read, reading), record, tables_of(run)))
                ):
                    yield Said("another value", f"{who}: {wrong}")


def _deletion_by(export: str, changes: list[Change]) -> Change | None:
    """The last call that deleted them, if it was this export's, and they were active."""
    last = next((one for one in reversed(changes) if one.kind == "delete" and one.code is None), None)
    return last if last and by_export(last) == export and (last.before or {}).get("state") == "Active" else None


def _went(world: World, own: list[Change], changes: list[Change]) -> bool:
    """Whether they went by themselves, or were taken off, since the export offered them."""
    if not own:
        return False
    since, email, list_id = own[-1].time, own[-1].email, own[-1].list_id
    by_themselves = any(
        (one.email, one.list_id) == (email, list_id) and one.time > since for one in world.history.own_doings
    )
    return by_themselves or any(one.kind != "import" and one.time > since for one in changes)


def nothing_new_is_sent(world: World) -> Iterator[Said]:
    """A run that finds nothing new sends nothing, but to whom the service refuses for what may pass."""
    up_to_date = {
        export
        for export, run in last_runs(world, until=world.history.second_round_at).items()
        if paths_used(run) == last_paths(world, export)
    }
    for ended in world.history.ended.values():
        run = ended.run
        if (
            run["export"] not in up_to_date
            or seconds(run["created_at"]) < world.history.second_round_at
            or run["mode"] != "changes"
            or not run["planned_at"]
        ):
            continue
        if run["counts"]["to_send"] > run["counts"]["refused"]:
            apart = " with clocks apart" if world.plan.skews else ""
            yield Said(f"sent{apart}", f"{run['id']} sends {run['counts']['to_send']} of whom nothing has changed")
