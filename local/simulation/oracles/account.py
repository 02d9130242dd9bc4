"""The account: that it balances, and the first two of the truths: no row vanishes, no row is read as another."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from local.simulation.oracles.findings import Said
from local.simulation.oracles.last_refresh import last_paths, last_runs, paths_used
from local.simulation.oracles.reading import OPTIONAL_NOW, Reading, readings, seconds
from local.simulation.records import ENDED, files_used
from local.simulation.world import World

PARTS = ("malformed", "invalid", "duplicate", "unchanged", "to_send")
SENT = ("added", "updated", "refused", "unsent")


def account_balances(world: World) -> Iterator[Said]:
    """Both sums of the account of each run from its plan on; nothing is negative, and each snapshot has its files."""
    for run in world.records.runs():
        counts = run["counts"]
        if run.get("partitions") and len(run["partitions"]) != len(run["snapshots"]):
            yield Said("files", f"{run['id']} says of {len(run['snapshots'])} snapshots which files it used of others")
        if any(count < 0 for count in counts.values()):
            yield Said("negative", f"{run['id']}: {counts}")
        if counts["rows_read"] != sum(counts[name] for name in PARTS):
            yield Said("rows", f"{run['id']}: {counts}")
        if run["status"] in ENDED and counts["to_send"] != sum(counts[name] for name in SENT):
            yield Said("sent", f"{run['id']} {run['status']}: {counts}")


def rows_counted(world: World) -> Iterator[Said]:
    """Truth 1, no row vanishes: what the run counted is what a person would count in the files that it used."""
    for ended in world.history.ended.values():
        run, found = ended.run, readings(world.history, ended.run)
        if not found:
            continue
        wrong = [_miscounted(run["counts"], reading) for reading in found]
        if all(wrong):
            stray = " with stray quotes" if world.plan.style.stray_quotes else ""
            yield Said(f"rows{stray}", f"{run['id']}: {wrong[0]}")


def _miscounted(counts: dict[str, int], reading: Reading) -> str:
    told = counts | {"first": counts["unchanged"] + counts["to_send"]}
    for name, count in reading.counts().items():
        if told[name] != count:
            return f"{name} is {told[name]}, and {count} are in the files"
    return ""


def rows_told(world: World) -> Iterator[Said]:
    """Truth 1: each malformed, invalid, duplicate and refused row is one line of rejects.csv, with its place."""
    for ended in world.history.ended.values():
        run = ended.run
        found = readings(world.history, run)
        if not found or run.get("audit"):
            continue
        lines = world.records.rejects(run)
        told = Counter(_place(line) for line in lines if not line["reason"].startswith(("refused", "not_removed")))
        if all(told != _places(reading) for reading in found):
            missing, more = _places(found[0]) - told, told - _places(found[0])
            stray = " with stray quotes" if world.plan.style.stray_quotes else ""
            yield Said(f"rows{stray}", f"{run['id']}: not told {[*missing][:3]}, told {[*more][:3]}")
        for name in ("refused", "not_removed"):
            number = sum(line["reason"].startswith(name) for line in lines)
            if number != run["counts"][name] and not run["dry_run"]:
                yield Said(name, f"{run['id']}: {run['counts'][name]} were {name}, and {number} lines say so")


def _place(line: dict[str, str]) -> tuple[str, str, str, str]:
    reason = "malformed" if line["reason"].startswith("malformed") else line["reason"]
    return line["segment"], line["partition"], line["line"], reason


def _places(reading: Reading) -> Counter[tuple[str, str, str, str]]:
    fates = {"duplicate": "duplicate_email"}
    return Counter(
        (one.segment, one.partition, str(one.row.line), fates.get(one.fate, one.fate))
        for one in reading.rows
        if one.fate != "first"
    )


def values_cost_no_row(world: World) -> Iterator[Said]:
    """A value that its field cannot take is left out and told; the person is sent all the same."""
    if not world.plan.style.bad_values:
        return
    for ended in world.history.ended.values():
        if OPTIONAL_NOW in ended.run["counts"]:
            continue
        for reading in readings(world.history, ended.run)[:1]:
            costly = [one for one in reading.rows if one.row.faults and "EMail" not in one.row.faults]
            if any(one.fate not in ("first", "duplicate") for one in costly):
                yield Said("costs the row", f"{ended.run['id']}: an optional value cost a person their row")
                return


def refresh_is_whole(world: World) -> Iterator[Said]:
    """Truth 2 and 5: of a dated folder a run uses all files or none: at least those that lay there when it was asked
    for, and those that model.json lists; and in the end those of the last refresh."""
    yield from _not_the_last(world)
    for ended in world.history.ended.values():
        run = ended.run
        if not run.get("partitions") or not run.get("planned_at"):
            continue
        for snapshot, parts in files_used(run):
            refresh = world.insights.of_path(snapshot["path"])
            files = {name for name in (refresh.files if refresh else {}) if name.startswith(snapshot["path"] + "/")}
            missing = files - {f"{snapshot['path']}/{part}" for part in parts}
            if refresh is None or not missing:
                continue
            begin, end = _span(world, run)
            if any(world.insights.written.get(name, [(end, None)])[0][0] < begin for name in missing):
                kind = "left out"
            else:
                kind = "half though listed" if world.insights.lists(refresh.folder, files, begin, end) else "half"
            yield Said(kind, f"{run['id']} used {len(parts)} of {len(files)} files of {snapshot['path'][-40:]}")


def _not_the_last(world: World) -> Iterator[Said]:
    """Of the runs that were asked for when the last refresh had long been there."""
    for export, run in last_runs(world).items():
        if seconds(run["created_at"]) < world.history.second_round_at:
            continue
        used, there = paths_used(run), last_paths(world, export)
        if used != there:
            yield Said(
                "not the last", f"{run['id']} used {len(used & there)} of {len(there)} files of the last refresh"
            )


def no_older_refresh(world: World) -> Iterator[Said]:
    """A run never goes back to a refresh older than one that the export has used."""
    newest: dict[tuple[str, str], str] = {}
    planned = [ended.run for ended in world.history.ended.values() if ended.run.get("planned_at")]
    for run in sorted(planned, key=_planned_at):
        if run["dry_run"] or run.get("audit"):
            continue
        for snapshot in run["snapshots"]:
            key, path = (run["export"], snapshot["segment"]), snapshot["path"]
            if path < newest.get(key, ""):
                kind = "older though whole" if _lay_still(world, run, newest[key]) else "older"
                yield Said(kind, f"{run['id']} used {path[-15:]} after {newest[key][-15:]} of {snapshot['segment']}")
            newest[key] = max(path, newest.get(key, ""))


def _lay_still(world: World, run: dict[str, Any], path: str) -> bool:
    """Whether all files of a dated folder were there, and written long enough ago, when the run was asked for, and
    stayed so."""
    begin, end = _span(world, run)
    quiet = 60 * float(world.plan.settings["QUIET_MINUTES"])
    refresh = world.insights.of_path(path)
    files = [name for name in (refresh.files if refresh else {}) if name.startswith(path + "/")]
    times = [[time for time, _ in world.insights.written.get(name, [])] for name in files]
    return all(some and not any(begin - quiet <= time <= end for time in some) and some[0] < begin for some in times)


def _span(world: World, run: dict[str, Any]) -> tuple[float, float]:
    """From before the run was asked for until after it had planned, whatever its clocks say."""
    return world.history.created_at(run["id"]) - 60, seconds(run["planned_at"]) + 60


def _planned_at(run: dict[str, Any]) -> str:
    return str(run["planned_at"])
