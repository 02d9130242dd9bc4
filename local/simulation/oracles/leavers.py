"""Truth 5: nobody is removed who has not left."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.simulation.history import Ended, by_export, by_run, by_slice
from local.simulation.oracles.calm import is_calm
from local.simulation.oracles.delivery import GOOD, untroubled
from local.simulation.oracles.findings import Said
from local.simulation.oracles.last_refresh import last_readings, last_runs
from local.simulation.oracles.parquet import HELD, acknowledged
from local.simulation.oracles.reading import Reading, readings, seconds, tables_of
from local.simulation.records import files_used
from local.simulation.refreshes import Refresh
from local.simulation.service import Change
from local.simulation.world import World

_REMOVALS = ("unsubscribe", "delete")
A_LOOK = 1.0  # seconds, from a step's look at the export to its first call


def _removals(world: World) -> Iterator[tuple[Change, dict[str, Any]]]:
    """Each call of a run that took somebody off a list."""
    runs = {run["id"]: run for run in world.records.runs()}
    for change in world.service.changes:
        if change.kind in _REMOVALS and change.code is None and by_run(change) in runs:
            yield change, runs[by_run(change)]


def only_leavers_are_removed(world: World) -> Iterator[Said]:
    """Nobody is removed who stands in the files that the run used, or who is in a segment of the export in the newest
    refresh that had begun."""
    for change, run in _removals(world):
        who = change.email.partition("@")[0]
        found = readings(world.history, run)
        if found and all(change.email in reading.mentioned for reading in found):
            yield Said("in the files", f"{run['id']} removed {who}, who stands in its files")
        folder = run["snapshots"][0]["segment"].partition("/")[0]
        refresh = world.insights.begun_by(folder, seconds(run["planned_at"]) if run.get("planned_at") else change.time)
        members = refresh.members if refresh else {}
        if any(change.email in members.get(table, ()) for table in tables_of(run)):
            yield Said(
                "not in the files" if _is_whole(run, refresh) else "half a refresh",
                f"{run['id']} removed {who}, who is in {sorted(tables_of(run))} of the refresh that had begun",
            )


def _is_whole(run: dict[str, Any], refresh: Refresh | None) -> bool:
    """Whether the run used all files of this refresh that are of its segments."""
    files = {f"{one['path']}/{part}" for one, parts in files_used(run) for part in parts}
    paths = [refresh.paths[table] for table in tables_of(run)] if refresh else []
    return refresh is not None and files == {name for name in refresh.files if name.rpartition("/")[0] in paths}


def only_the_own_are_removed(world: World) -> Iterator[Said]:
    """An export removes only whom it put on the list itself, and whom no other enabled export holds there."""
    for change, run in _removals(world):
        earlier = _since_it_took_them_off(world, change, run["export"])
        who = change.email.partition("@")[0]
        if not any(_put_there(world, one, run["export"]) for one in earlier):
            taken = any(change.email in world.service.unnamed.get(by_run(one), ()) for one in earlier)
            kind = "not added" + (" in an odd answer" if taken else "")
            yield Said(kind, f"{run['id']} removed {who}, whom {run['export']} did not put on the list")
        for other in _held_by(world, change, run):
            yield Said("of another export", f"{run['id']} removed {who}, whom {other} has on the list")


def _since_it_took_them_off(world: World, change: Change, export: str) -> list[Change]:
    """What calls did to somebody since an earlier run of this export took them off the list, if one did."""
    found: list[Change] = []
    for one in world.history.changes(change.list_id, change.email, until=change.time):
        took_off = one.kind in _REMOVALS and one.code is None
        if took_off and by_export(one) == export and by_run(one) != by_run(change):
            found = []
        else:
            found.append(one)
    return found


def _held_by(world: World, change: Change, run: dict[str, Any]) -> Iterator[str]:
    """The other exports that were enabled, went to this list, and had somebody on it, all the time while the run
    planned."""
    end = seconds(run["planned_at"]) if run.get("planned_at") else change.time
    begin = end - 120
    for other in world.plan.exports:
        saved = world.history.saved(other, begin, end)
        stays = all(one and one["enabled"] and one["list_id"] == change.list_id for one in saved)
        if other == run["export"] or not stays:
            continue
        data = world.history.acknowledged_at(other, change.list_id, begin)
        still = world.history.acknowledged_at(other, change.list_id, end)
        if data and data == still and acknowledged(data).get(change.email) in HELD:
            yield other


def _put_there(world: World, change: Change, export: str) -> bool:
    """Whether it made somebody active who was not, by this export. Who joined by another
    way while the run was at work counts, too: the run asks before it sends, and cannot know."""
    if by_export(change) != export or change.kind != "import" or change.code is not None:
        return False
    began = world.history.created_at(by_run(change))
    earlier = [one for one in world.history.changes(change.list_id, change.email, until=began) if one.code is None]
    was = earlier[-1].after["state"] if earlier and earlier[-1].after else None
    own = [
        one
        for one in world.history.own_doings
        if (one.list_id, one.email) == (change.list_id, change.email) and one.time <= began
    ]
    if own and (not earlier or own[-1].time > earlier[-1].time):
        was = own[-1].state
    return was != "Active"


def removals_are_wanted(world: World) -> Iterator[Said]:
    """Nobody is removed by an export that keeps its leavers, in another way than it says, or after it was changed."""
    for change, run in _removals(world):
        configured = world.history.configured(run["export"], change.left - _begun(world, run, change), change.left)
        if not any((one["removals"], one["list_id"]) == (change.kind, change.list_id) for one in configured):
            yield Said("not wanted", f"{run['id']}: {change.kind} by an export that says otherwise")


def _begun(world: World, run: dict[str, Any], change: Change) -> float:
    """How many seconds before the call the step can have begun: it looks once how the export is saved, and then makes
    the first call of its slice."""
    calls = [one.left for one in world.service.changes if by_slice(one) == by_slice(change) and one.kind != "import"]
    if is_calm(world, min(calls) - 10, change.left):
        return change.left - min(calls) + A_LOOK
    return change.left - seconds(run["created_at"]) + 60


def guards_hold(world: World) -> Iterator[Said]:
    """Where more have left than the export allows, or a segment is empty, nobody is removed unless it is confirmed."""
    judged = set()
    for _, run in _removals(world):
        if run["id"] in judged or run.get("confirm_removals"):
            continue
        judged.add(run["id"])
        if (run.get("error") or {}).get("code") == "too_many_leavers":
            yield Said("guarded", f"{run['id']} says that it removed nobody, and did")
        for reading in readings(world.history, run)[:1]:
            yield from _unguarded(world, run, reading)


def _unguarded(world: World, run: dict[str, Any], reading: Reading) -> Iterator[Said]:
    if any(one.fate == "malformed" for one in reading.rows):
        yield Said("malformed", f"{run['id']} removed somebody while rows could not be read: they may be theirs")
    usable = {one.segment for one in reading.rows if one.fate in ("first", "duplicate")}
    for snapshot in run["snapshots"]:
        if snapshot["segment"] not in usable:
            yield Said("empty", f"{run['id']} removed somebody while {snapshot['segment']} is empty")
    planned = seconds(run["planned_at"])
    data = world.history.acknowledged_at(run["export"], run["list_id"], planned)
    if data is None:
        return
    own = {email for email, state in acknowledged(data).items() if state in HELD}
    begin = seconds(run["created_at"]) - 60
    percents = [one["max_removal_percent"] for one in world.history.configured(run["export"], begin, planned + 60)]
    # While it planned another export may have let go of somebody, or been paused: it saw the one or the other.
    alone = [own - _held_elsewhere(world, run, moment) for moment in (begin, planned, planned + 60)]
    if percents and all(len(held - reading.mentioned) * 100 > len(held) * max(percents) for held in alone):
        left = len(alone[1] - reading.mentioned)
        yield Said("percent", f"{run['id']}: {left} of {len(alone[1])} have left, more than {max(percents)} %")


def _held_elsewhere(world: World, run: dict[str, Any], moment: float) -> set[str]:
    """Whom other enabled exports have on the list."""
    held: set[str] = set()
    for other in world.plan.exports:
        document = world.history.configuration(other, moment)
        data = world.history.acknowledged_at(other, run["list_id"], moment)
        is_there = document and document["enabled"] and document["list_id"] == run["list_id"]
        if other != run["export"] and data and is_there:
            held |= {email for email, state in acknowledged(data).items() if state in HELD}
    return held


def confirmations_hold_for_what_was_seen(world: World) -> Iterator[Said]:
    """Somebody confirms the removals of a run that was stopped: for the snapshots of that run alone."""
    runs = {run["id"]: run for run in world.records.runs()}
    for _, run in _removals(world):
        seen = runs.get(str(run.get("requested_by") or "").removeprefix("confirm "))
        if seen and _used(run) != _used(seen):
            yield Said(
                "another refresh", f"{run['id']} removed by a confirmation of {seen['id']}, which saw other files"
            )
            return


def _used(run: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["segment"], one["path"]) for one in run["snapshots"]]


def leavers_leave(world: World) -> Iterator[Said]:
    """In the end whoever left is off the list, as the export says: no leaver is forgotten, whatever the export
    remembers of whom it put there."""
    for export, run in last_runs(world).items():
        uncertain = any(one["code"] == "leavers_uncertain" for one in run.get("warnings") or ())
        if run["removals"] == "keep" or run["status"] not in GOOD or uncertain:
            continue
        found = last_readings(world, run)
        for email, record in world.service.listing(run["list_id"]).items():
            in_files = any(email in reading.mentioned for reading in found)
            if record["state"] == "Active" and found and not in_files and _surely_put(world, export, run, email):
                yield Said(
                    "stays", f"{email.partition('@')[0]} left {export}, which put them there, and is on the list"
                )


def _surely_put(world: World, export: str, run: dict[str, Any], email: str) -> bool:
    """Whether this export alone sent them, and it was the last to make them active: with a run that asked who was
    there, that met nothing that would excuse it, and after which nothing happened that would."""
    history, list_id = world.history, run["list_id"]
    changes = history.changes(list_id, email)
    turned = [one for one in changes if one.code is None and _is_active(one.after) and not _is_active(one.before)]
    put = turned[-1] if turned else None
    ended = history.ended.get(by_run(put)) if put else None
    if put is None or ended is None or not _put_there(world, put, export) or not _remembers(world, ended):
        return False
    began = history.created_at(by_run(put))
    doings = any((one.list_id, one.email) == (list_id, email) and one.time > began for one in history.own_doings)
    imports = [one for one in changes if one.kind == "import"]
    shared = any(by_export(one) != export and _goes_to(world, by_export(one), list_id, run) for one in imports)
    refused = any(one.code is not None and one.time > put.time for one in imports)
    deleted = any(document is None and time > began for time, document in history.configurations[export])
    return not (doings or shared or refused or deleted)


def _goes_to(world: World, export: str, list_id: str, run: dict[str, Any]) -> bool:
    """Whether the export went to that list when the run began, or since: whom it sends there stays there."""
    saved = world.history.configured(export, seconds(run["created_at"]) - 60, float("inf"))
    return any(one["list_id"] == list_id for one in saved)


def _remembers(world: World, ended: Ended) -> bool:
    """Whether the run could tell whom it added, and came to note it."""
    run = ended.run
    good = run["removals"] != "keep" and run["status"] in GOOD
    return good and untroubled(world, ended) and run["id"] not in world.service.unnamed


def _is_active(record: Mapping[str, Any] | None) -> bool:
    return bool(record and record["state"] == "Active")
