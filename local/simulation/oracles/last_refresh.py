"""The end of a world: the last run of each export, and the last refresh as Customer Insights wrote it."""

from typing import Any

from local.simulation.oracles.reading import Reading, readings
from local.simulation.records import files_used, table_of
from local.simulation.world import World


def last_runs(world: World, *, until: float = float("inf")) -> dict[str, dict[str, Any]]:
    """The last run of each export that runs in the end, that came to plan, of those that had ended ``until`` then."""
    found = {}
    for ended in world.history.ended.values():
        run = ended.run
        document = world.history.configuration(run["export"], float("inf"))
        begin, in_time = world.history.last_refresh_at, ended.time <= until
        if document and document["enabled"] and begin < ended.time and in_time and run.get("planned_at"):
            found[run["export"]] = run
    return found


def last_files(world: World, export: str) -> dict[str, list[str]]:
    """The files of the last refresh by the segments of the export, as it is saved in the end."""
    document = world.history.configuration(export, float("inf"))
    found = {}
    for segment in document["segments"] if document else ():
        refresh = world.insights.begun_by(segment.partition("/")[0], world.scheduler.time)
        path = refresh.paths[table_of(segment)] if refresh else ""
        found[segment] = sorted(name for name in (refresh.files if refresh else {}) if name.startswith(f"{path}/"))
    return found


def last_paths(world: World, export: str) -> set[str]:
    return {name for names in last_files(world, export).values() for name in names}


def paths_used(run: dict[str, Any]) -> set[str]:
    return {f"{snapshot['path']}/{part}" for snapshot, parts in files_used(run) for part in parts}


def last_readings(world: World, run: dict[str, Any]) -> list[Reading]:
    """What a person would read in the last refresh, whichever files the run says that it used."""
    files = last_files(world, run["export"])
    paths = [{"segment": segment, "path": names[0].rpartition("/")[0]} for segment, names in files.items()]
    parts = [[name.rpartition("/")[2] for name in names] for names in files.values()]
    return readings(world.history, run | {"snapshots": paths, "partitions": parts})
